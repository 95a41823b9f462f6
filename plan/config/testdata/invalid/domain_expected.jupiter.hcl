module "base" {
  source = "../base"
}

self_improvement "a" {
  domain    = module.base.domain.real # ERROR: leave out .real
  generator = module.base.generator
  trainer   = module.base.trainer
  exporter  = module.base.exporter
  evaluator = module.base.evaluator

  eval_every_steps = 50
  min_steps_before_replace = 50
}
