module "base" {
  source = "../base"
}

self_improvement "a" {
  domain    = module.base.domain
  generator = module.base.generator # ERROR: Nothing runs a promoted student
  trainer   = module.base.trainer
  exporter  = exporter.odd.x # ERROR: trainer "llama" writes application/vnd.jupiter.checkpoint
  evaluator = module.base.evaluator

  eval_every_steps = 50
  min_steps_before_replace = 50
}

exporter "odd" "x" {}
