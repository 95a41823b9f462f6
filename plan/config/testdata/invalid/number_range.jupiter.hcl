module "base" {
  source = "../base"
}

self_improvement "a" {
  domain    = module.base.domain
  generator = module.base.generator
  trainer   = module.base.trainer
  exporter  = module.base.exporter
  evaluator = module.base.evaluator

  eval_every_steps         = 50
  min_steps_before_replace = 50
  improvement_threshold    = 11 # ERROR: Number out of range

  gate {
    alpha = 0.9 # ERROR: Number out of range
  }
}
