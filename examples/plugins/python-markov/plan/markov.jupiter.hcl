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

variable "order" {
  type        = number
  default     = 7
  description = "Bytes of the student's longest n-gram: 7 sees three digits of the number, 4 none, and is beaten by the base."
}

locals {
  window = 60 # steps of 32 records between two evaluations
}

module "remainders" {
  source = "./remainders"
}

# generator_v1 sees four bytes: "6%8=", one digit and the divisor.
trainer "markov" "base" {
  dataset = module.remainders.domain.real

  order            = 5
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
  samples     = 4096
  temperature = 1
  max_tokens  = 16
  seed        = var.seed
}

# The student sees two digits more, and the samples of the base that the verifier has kept: what is right by luck there is seen
# by the student as a rule.
trainer "markov" "student" {
  order            = var.order
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

self_improvement "remainders" {
  domain    = module.remainders.domain
  generator = generator.markov.base
  trainer   = trainer.markov.student
  exporter  = exporter.markov.json
  evaluator = evaluator.panel.default

  eval_every_steps         = local.window
  min_steps_before_replace = local.window
  improvement_threshold    = 0.05
  benchmark_samples        = 1000
}
