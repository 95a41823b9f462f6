module "base" {
  source = "../base"
}

self_improvement "a" { # ERROR: eval_every_steps = 5000 is more than max_steps = 100 # ERROR: min_steps_before_replace = 10000
  domain    = module.base.domain
  generator = module.base.generator
  trainer   = module.base.trainer
  exporter  = module.base.exporter
  evaluator = module.base.evaluator

}
