domain "a" {
  description = "d"
  mix_ratio   = { real = 0.35, synthetic = 0.65 }

  source "files" "f" {
    bucket = "real"
  }

  template "t" {
    bucket = "synthetic"
  }

  evaluation {
    split "gate" {
      file = "../base/gate.jsonl"
    }
  }
}

domain "b" {
  description = "d"
  mix_ratio   = { real = 0.35, synthetic = 0.65 }

  source "files" "f" {
    bucket = "real"
  }

  template "t" {
    bucket = "synthetic"
  }
}

trainer "llama" "base" {
  dataset   = domain.b.real # ERROR: Data of another domain
  max_steps = 10
}

trainer "llama" "student" {
  max_steps        = 100
  save_every_steps = 10
}

generator "llama" "g" {
  model   = trainer.llama.base
  samples = 100
}

exporter "llama" "e" {}

evaluator "panel" "p" {}

self_improvement "a" {
  domain    = domain.a
  generator = generator.llama.g
  trainer   = trainer.llama.student
  exporter  = exporter.llama.e
  evaluator = evaluator.panel.p

  eval_every_steps         = 50
  min_steps_before_replace = 50
}
