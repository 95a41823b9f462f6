# The cycle with a model in Python: an n-gram language model is the base generator, and the student too. A minute or two on
# one processor.

jupiter {
  required_plugins {
    markov = {
      source  = "./venv/bin/jupiter-markov"
      version = ">= 0.1"
    }
  }
}

variable "seed" {
  type    = number
  default = 1
}

locals {
  window = 60 # steps of 32 records between two evaluations
}

module "quantities" {
  source = "../../../../domains/quantities"
}

# generator_v1: a byte depends on the three before it.
trainer "markov" "base" {
  dataset = module.quantities.domain.real

  order            = 4
  max_steps        = 60
  schedule_steps   = 60
  save_every_steps = 20
  seed             = var.seed

  select {
    split = "validation"
  }
}

generator "markov" "base" {
  model       = trainer.markov.base
  temperature = 1
  max_tokens  = 96
  seed        = var.seed
}

# The student sees further back.
trainer "markov" "student" {
  order            = 10
  max_steps        = 2 * local.window
  schedule_steps   = local.window
  save_every_steps = 20
  seed             = var.seed

  select {
    split = "validation"
  }
}

exporter "markov" "json" {}

evaluator "panel" "default" {}

# An n-gram model cannot copy a number from the question into the answer, and what it writes by itself is not right. So the
# student learns from real examples alone, as in a control arm.
self_improvement "quantities" {
  domain    = module.quantities.domain
  generator = generator.markov.base
  trainer   = trainer.markov.student
  exporter  = exporter.markov.json
  evaluator = evaluator.panel.default

  mix_ratio = {
    real = 1
  }

  eval_every_steps         = local.window
  min_steps_before_replace = local.window
  improvement_threshold    = 0.05
  benchmark_samples        = 1000
}
