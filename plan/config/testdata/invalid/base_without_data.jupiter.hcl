module "base" {
  source = "../base"
}

self_improvement "a" {
  domain    = module.base.domain
  generator = generator.llama.h
  trainer   = module.base.trainer
  exporter  = module.base.exporter
  evaluator = module.base.evaluator

  eval_every_steps = 50
  min_steps_before_replace = 50
}

trainer "llama" "nodata" { # ERROR: Nothing to learn from
  max_steps = 100
}
generator "llama" "h" {
  model   = trainer.llama.nodata
  samples = 10
}
