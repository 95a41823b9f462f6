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
  pin_generator = 1 # ERROR: pin_generator
  always_keep_base_generator = false # ERROR: the base generator is always kept
  budget { # ERROR: budget of a run
    usd = 0 # ERROR: usd must be above 0
  }
}
