module "base" {
  source = "../base"
}

self_improvement "a" {
  domain    = module.base.domain
  generator = generator.llama.g
  successor = generator.mute.s # ERROR: Nothing compares student and base # ERROR: Nothing runs a promoted student
  trainer   = module.base.trainer
  exporter  = module.base.exporter
  evaluator = module.base.evaluator

  eval_every_steps = 50
  min_steps_before_replace = 50
}

generator "llama" "g" {
  model   = "models/base.gguf"
  samples = 10
}

generator "mute" "s" {
  samples = 10
}
