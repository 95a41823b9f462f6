module "base" {
  source = "../base"
}

self_improvement "a" { # ERROR: add exporter = exporter.TYPE.NAME
  domain    = module.base.domain
  generator = module.base.generator
  trainer   = module.base.trainer
  evaluator = module.base.evaluator

  eval_every_steps = 50
  min_steps_before_replace = 50
}
