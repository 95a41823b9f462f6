# A domain and the stages of a cycle, for the cases of ../invalid: references pass through outputs.

variable "gate" {
  type    = string
  default = "gate.jsonl"
}

variable "secret" {
  type      = string
  default   = "s"
  sensitive = true
}

domain "d" {
  description = "A domain"
  mix_ratio   = { real = 0.35, synthetic = 0.65 }

  source "files" "f" {
    bucket = "real"
    paths  = ["${path.module}/real.jsonl"]
  }

  template "t" {
    bucket = "synthetic"
  }

  evaluation {
    split "gate" {
      file = "${path.module}/${var.gate}"
    }
  }
}

trainer "llama" "base" {
  dataset   = domain.d.real
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

output "domain" { value = domain.d }
output "generator" { value = generator.llama.g }
output "trainer" { value = trainer.llama.student }
output "base" { value = trainer.llama.base }
output "exporter" { value = exporter.llama.e }
output "evaluator" { value = evaluator.panel.p }
output "secret" { value = var.secret }
