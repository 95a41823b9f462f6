# One turn of a cycle with a filter of one's own. Its models are so small that they learn little: the plan shows the filter.
# Some ten seconds on one processor.

jupiter {
  required_plugins {
    wordfilter = {
      source  = "./bin/wordfilter"
      version = "~> 1.0"
    }
  }
}

locals {
  recipe = {
    layers     = 2
    dim        = 64
    heads      = 4
    vocab_size = 300
  }
}

module "quantities" {
  source = "../../../../domains/quantities"
}

trainer "llama" "base" {
  dataset = module.quantities.domain.real
  recipe  = local.recipe

  learning_rate    = 0.01
  max_steps        = 150
  save_every_steps = 50

  select {
    split = "validation"
  }
}

generator "llama" "base" {
  model      = trainer.llama.base
  samples    = 1000
  max_tokens = 64
}

# What is not to come back into the training data: units that the metric system has done away with, and solutions that need
# four steps or more.
filter "wordfilter" "metric" {
  rules = [
    {
      reason = "imperial"
      words  = ["in", "ft", "yd", "mi", "fur", "oz", "lb", "st", "pt", "qt", "gal"]
    },
    {
      reason   = "rambling"
      patterns = ["=[0-9]+;"]
      at_least = 4
    },
  ]
}

trainer "llama" "student" {
  recipe           = local.recipe
  learning_rate    = 0.01
  max_steps        = 400
  save_every_steps = 100

  select {
    split = "validation"
  }
}

exporter "llama" "gguf" {}

evaluator "panel" "default" {}

self_improvement "quantities" {
  domain    = module.quantities.domain
  generator = generator.llama.base
  filters   = [filter.wordfilter.metric]
  trainer   = trainer.llama.student
  exporter  = exporter.llama.gguf
  evaluator = evaluator.panel.default

  verify                   = false # a base this small gets most answers wrong, and would leave the filter nothing to do
  eval_every_steps         = 400
  min_steps_before_replace = 400
  benchmark_samples        = 200
}
