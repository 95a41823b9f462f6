module "base" {
  source = "../base"
}

self_improvement "a" {
  domain    = module.base.domain
  generator = module.base.generator
  trainer   = trainer.llama.t
  exporter  = module.base.exporter
  evaluator = module.base.evaluator

  eval_every_steps = 50
  min_steps_before_replace = 50
}

trainer "llama" "t" {
  max_steps      = 110 # WARNING: the last 10 steps
  schedule_steps = 20 # ERROR: Two lengths of a window
}
