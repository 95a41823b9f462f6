module "base" {
  source = "../base"
}

filter "quality" "f" {
  budget {
    tokens = 5 # ERROR: filter.quality.f runs no model
    usd    = 1 # ERROR: Budget of nothing
  }
}

verifier "quantities" "v" {
  budget {
    hours   = 1 # ERROR: works within the lines of other stages
    disk_gb = 1 # ERROR: works within the lines of other stages
  }
}

generator "llama" "priced" {
  model   = module.base.base
  samples = 100

  prices {
    version                = "2026-10"
    usd_per_million_input  = 0.5
    usd_per_million_output = -1 # ERROR: must be between 0 and
  }
  budget {
    usd     = 3
    disk_gb = 0.5
  }
}

generator "llama" "unpriced" {
  model   = module.base.base
  samples = 100

  prices { # ERROR: usd_per_million_input # ERROR: usd_per_million_output
    version = "2026-10"
  }
}

self_improvement "a" {
  domain    = module.base.domain
  generator = generator.llama.unpriced
  successor = generator.llama.priced
  filters   = [filter.quality.f]
  trainer   = module.base.trainer
  exporter  = module.base.exporter
  evaluator = module.base.evaluator

  eval_every_steps         = 50
  min_steps_before_replace = 50
}
