# A whole cycle over fake stages. The project command of the scripts copies it, with other defaults where a script asks.

verifier "fake" "exact" {}

domain "numbers" {
  description = "numbers that answer themselves"
  verifier    = verifier.fake.exact
  mix_ratio   = { real = 0.35, synthetic = 0.65 }

  anchor {
    min = 0.30
    max = 0.40
  }

  source "fake" "examples" {
    bucket = "real"
    n      = 300
  }

  template "question" {
    bucket = "synthetic"
    prompt = "fake {n}:"
    values = { n = [for i in range(5000000, 5000200) : tostring(i)] }
  }

  evaluation {
    split "validation" { file = "validation.jsonl" }
    split "dev" { file = "dev.jsonl" }
    split "gate" { file = "gate.jsonl" }
  }
}

generator "fake" "base" {
  samples = 200
  quality = 0.5
}

trainer "fake" "student" {
  quality          = 0.3
  gain             = var.gain
  max_steps        = var.max_steps
  save_every_steps = var.save_every
  delay_ms         = var.delay_ms
  exit_at          = var.exit_at
  hang_at          = var.hang_at
  once             = "faulted"

  select {
    split = "validation"
  }
}

exporter "fake" "model" {}

evaluator "fake" "panel" {}

self_improvement "numbers" {
  domain    = domain.numbers
  generator = generator.fake.base
  trainer   = trainer.fake.student
  exporter  = exporter.fake.model
  evaluator = evaluator.fake.panel

  eval_every_steps         = 20
  min_steps_before_replace = 20
  benchmark_samples        = 400
  promotion                = var.promotion

  # The few prompts repeat so much that this measure would stop a healthy run.
  guard {
    compression = { warn = 5, halt = 9 }
  }
}
