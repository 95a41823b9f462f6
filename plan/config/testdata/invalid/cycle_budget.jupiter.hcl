module "base" {
  source = "../base"
}

self_improvement "a" {
  domain    = module.base.domain
  generator = module.base.generator
  trainer   = module.base.trainer
  exporter  = module.base.exporter
  evaluator = module.base.evaluator

  eval_every_steps = 50
  min_steps_before_replace = 50
  pin_generator = 0 # ERROR: at least 1
  always_keep_base_generator = false
  budget {
    usd = 0 # ERROR: usd must be above 0
  }
}
