# A base model for real text, in the time of a coffee break. First: go run ./domains/godoc/gen

variable "seed" {
  type    = number
  default = 1
}

variable "mix" {
  type        = map(number)
  default     = { real = 0.35, synthetic = 0.65 }
  description = "Shares of what the student learns from. { real = 1 } is the control arm: nothing is generated."
}

locals {
  window = 600 # optimizer steps between two evaluations
  recipe = {
    vocab_size     = 4096
    max_seq_length = 384
    batch_size     = 32
    learning_rate  = 0.003
    weight_decay   = 0.1
    betas          = [0.9, 0.95]
    clip           = 1
    warmup_steps   = 50
    min_lr_ratio   = 0.05
  }
}

module "godoc" {
  source = "../../domains/godoc"
}

# generator_v1: trained on the real examples alone.
trainer "llama" "base" {
  dataset = module.godoc.domain.real

  layers  = 4
  dim     = 128
  heads   = 4
  ffn     = 352
  dropout = 0.1
  recipe  = local.recipe

  max_steps        = 1500
  schedule_steps   = 1500
  save_every_steps = 500
  seed             = var.seed

  select {
    split = "validation"
  }
}

generator "llama" "base" {
  model       = trainer.llama.base
  samples     = 6000
  temperature = 0.7
  max_tokens  = 224
  seed        = var.seed
}

filter "quality" "shape" {
  min_chars = 20
  max_chars = 900
  rules     = []
}

# Against the real ones too: what the generator knows by heart is no new example.
filter "neardup" "new" {
  similarity_threshold = 0.8
}

# The student is smaller than its generator.
trainer "llama" "student" {
  layers  = 3
  dim     = 128
  heads   = 4
  ffn     = 352
  dropout = 0.1
  recipe  = local.recipe

  max_steps        = 2 * local.window
  schedule_steps   = local.window
  save_every_steps = 300
  seed             = var.seed

  select {
    split = "validation"
  }
}

exporter "llama" "gguf" {}

evaluator "panel" "default" {}

self_improvement "godoc" {
  domain    = module.godoc.domain
  generator = generator.llama.base
  filters   = [filter.quality.shape, filter.neardup.new]
  trainer   = trainer.llama.student
  exporter  = exporter.llama.gguf
  evaluator = evaluator.panel.default
  mix_ratio = var.mix

  regenerate               = "cycle"
  eval_every_steps         = local.window
  min_steps_before_replace = local.window
  improvement_threshold    = 0.05
  benchmark_samples        = 1200
}
