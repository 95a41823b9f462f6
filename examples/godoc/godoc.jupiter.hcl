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
  window = 400 # optimizer steps between two evaluations
  recipe = {
    layers         = 4
    dim            = 128
    heads          = 4
    ffn            = 352
    vocab_size     = 2048
    max_seq_length = 384
    batch_size     = 16
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

# generator_v1: trained on the real examples alone, from nothing.
trainer "llama" "base" {
  dataset       = module.godoc.domain.real
  learning_rate = 0.005
  dropout       = 0.05
  recipe        = local.recipe

  max_steps        = 9 * local.window
  schedule_steps   = 9 * local.window
  save_every_steps = 3 * local.window
  seed             = var.seed
}

# At a lower temperature more of what it writes compiles, and less of it differs.
generator "llama" "base" {
  model       = trainer.llama.base
  samples     = 20000
  temperature = 0.7
  max_tokens  = 240
  seed        = var.seed
}

filter "quality" "shape" {
  min_chars = 20
  max_chars = 700
  rules     = [] # the field's are for pages and files, not for one declaration
}

# Against the real ones too: what the generator knows by heart is no new example.
filter "neardup" "new" {
  similarity_threshold = 0.8
}

# The student goes on where the base stopped: from nothing it would need the same real examples as often.
trainer "llama" "student" {
  start         = trainer.llama.base
  learning_rate = 0.001
  dropout       = 0.1
  recipe        = local.recipe

  max_steps        = 3 * local.window
  schedule_steps   = local.window
  save_every_steps = local.window / 2
  seed             = var.seed
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
  improvement_threshold    = 0.05 # 5 % better than the generator in use
  benchmark_samples        = 1200

  # What generator_v1 writes at temperature 1 is half noise, and so more varied than real text is: a thousand real records were
  # 0.26 bit, 10 % and 18 % away from it. These are the usual limits, counted from there.
  guard {
    entropy     = { warn = 0.56, halt = 0.66 }
    distinct4   = { warn = 0.15, halt = 0.18 }
    compression = { warn = 0.23, halt = 0.26 }
  }
}
