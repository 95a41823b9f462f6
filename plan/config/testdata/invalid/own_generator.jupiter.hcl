module "base" {
  source = "../base"
}

self_improvement "a" {
  domain    = module.base.domain
  generator = generator.llama.h
  trainer   = module.base.trainer
  exporter  = module.base.exporter
  evaluator = module.base.evaluator

  eval_every_steps = 50
  min_steps_before_replace = 50
}

generator "llama" "h" {
  model   = module.base.trainer # ERROR: Student is its own generator
  samples = 10
}
