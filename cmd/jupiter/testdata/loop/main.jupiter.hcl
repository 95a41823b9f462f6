# Two cycles with real models so small that they take seconds: the base hardly learns, the first student is promoted, the
# second is better still. Samples are not verified: none of such a base's would pass.

verifier "quantities" "exact" {}

domain "quantities" {
  description = "quantities, in little"
  language    = "es"
  verifier    = verifier.quantities.exact
  mix_ratio   = { real = 0.4, synthetic = 0.6 }

  anchor {
    min = 0.30
    max = 0.40
  }

  source "files" "examples" {
    bucket  = "real"
    paths   = ["real.jsonl"]
    license = "CC0-1.0"
  }

  template "example" {
    bucket = "synthetic"
  }

  evaluation {
    split "validation" { file = "validation.jsonl" }
    split "dev" { file = "dev.jsonl" }
    split "gate" { file = "gate.jsonl" }
  }
}

trainer "llama" "base" {
  dataset          = domain.quantities.real
  layers           = 1
  dim              = 16
  heads            = 2
  ffn              = 48
  learning_rate    = 0.002
  max_steps        = 40
  save_every_steps = 20

  select {
    split = "validation"
  }
}

generator "llama" "base" {
  model      = trainer.llama.base
  samples    = 200
  max_tokens = 64
}

trainer "llama" "student" {
  layers           = 1
  dim              = 32
  heads            = 2
  ffn              = 96
  learning_rate    = 0.01
  max_steps        = 400
  save_every_steps = 100

  select {
    split = "validation"
  }
}

exporter "llama" "gguf" {}

evaluator "panel" "scores" {}

self_improvement "tiny" {
  domain    = domain.quantities
  generator = generator.llama.base
  trainer   = trainer.llama.student
  exporter  = exporter.llama.gguf
  evaluator = evaluator.panel.scores

  eval_every_steps         = 200
  min_steps_before_replace = 200
  benchmark_samples        = 400
  improvement_threshold    = 0.01
  verify                   = false

  # What such models answer is chance. How likely they find right answers is not.
  weights = { accuracy = 0.1, coherence = 0.8, domain = 0.1 }

  # Learning to write at all changes these more than any collapse would.
  guard {
    entropy      = { warn = 50, halt = 90 }
    compression  = { warn = 5, halt = 9 }
    distinct4    = { warn = 0.5, halt = 0.9 }
    family_share = { warn = 0.002, halt = 0.001 }
  }
}
