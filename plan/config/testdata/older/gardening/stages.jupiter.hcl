# What the older form does not say.
trainer "llama" "base" {
  dataset   = domain.gardening.real
  max_steps = 100
}

trainer "llama" "student" {
  max_steps = 400
}

generator "llama" "base" {
  model   = trainer.llama.base
  samples = 100
}

exporter "llama" "gguf" {}

evaluator "panel" "panel" {}
