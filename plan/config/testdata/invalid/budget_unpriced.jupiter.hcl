module "base" {
  source = "../base"
}

generator "llama" "g" {
  model   = module.base.base
  samples = 100

  budget {
    usd = 1 # ERROR: Budget without a price
  }
}

self_improvement "a" {
  domain    = module.base.domain
  generator = generator.llama.g
  trainer   = module.base.trainer
  exporter  = module.base.exporter
  evaluator = module.base.evaluator

  eval_every_steps         = 50
  min_steps_before_replace = 50

  budget {
    tokens = 1000000
    usd    = 10 # ERROR: generator.llama.g has no prices
  }
}
