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
}

trainer "llama" "t" { # WARNING: Stage is not used
  max_steps = 100
}
self_improvement "b" {
  domain                   = module.base.domain
  generator                = module.base.generator
  trainer                  = module.base.trainer # ERROR: Trainer in two cycles
  exporter                 = module.base.exporter
  evaluator                = module.base.evaluator
  eval_every_steps         = 50
  min_steps_before_replace = 50
}
