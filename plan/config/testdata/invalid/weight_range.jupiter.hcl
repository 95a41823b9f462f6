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
  weights                  = { accuracy = 2, coherence = -1 } # ERROR: weight of accuracy is 2 # ERROR: weight of coherence is -1
}
