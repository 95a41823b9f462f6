# ../quickstart without what keeps wrong samples out: neither verifier nor filters drop any.

variable "seed" {
  type    = number
  default = 1
}

locals {
  window = 1600 # optimizer steps between two evaluations
  recipe = {
    batch_size         = 32
    weight_decay       = 0.1
    betas              = [0.9, 0.95]
    clip               = 1
    prompt_loss_weight = 0.1
    warmup_steps       = 30
    min_lr_ratio       = 0.05
    spaces_apart       = true # a unit is one token, after a digit and after a space
  }
}

module "quantities" {
  source = "../../domains/quantities"
}

# generator_v1: trained on the real examples alone.
trainer "llama" "base" {
  dataset = module.quantities.domain.real

  layers        = 3
  dim           = 64
  heads         = 4
  ffn           = 176
  dropout       = 0.15
  learning_rate = 0.006
  recipe        = local.recipe

  max_steps        = 3 * local.window
  schedule_steps   = local.window
  save_every_steps = 200
  seed             = var.seed

  select {
    split = "validation"
  }
}

generator "llama" "base" {
  model       = trainer.llama.base
  samples     = 32768
  temperature = 1
  max_tokens  = 96
  seed        = var.seed
}

# The student is smaller than its generator.
trainer "llama" "student" {
  layers        = 2
  dim           = 64
  heads         = 4
  ffn           = 176
  dropout       = 0.1
  learning_rate = 0.007
  recipe        = local.recipe

  max_steps        = 4 * local.window
  schedule_steps   = local.window
  save_every_steps = 200
  seed             = var.seed

  select {
    split = "validation"
  }
}

exporter "llama" "gguf" {}

evaluator "panel" "default" {}

self_improvement "quantities" {
  domain    = module.quantities.domain
  generator = generator.llama.base
  filters   = []
  trainer   = trainer.llama.student
  exporter  = exporter.llama.gguf
  evaluator = evaluator.panel.default

  regenerate               = "cycle"
  eval_every_steps         = local.window
  min_steps_before_replace = local.window
  improvement_threshold    = 0.05 # 5 % better than the generator in use
  benchmark_samples        = 2000
  pool_cap                 = 30 # at most 18,000 samples stay

  verify = false # keep rejected and repeated samples; what the benchmark holds is dropped all the same
}
