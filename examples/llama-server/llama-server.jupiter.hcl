# The quickstart's cycle in little, with llama.cpp's llama-server in the place of the embedded engine: it writes the samples
# and answers the questions. Jupiter starts it on each model's GGUF file and stops it again.

variable "seed" {
  type    = number
  default = 1
}

variable "llama_server" {
  type        = string
  default     = "llama-server"
  description = "The program: a name on the PATH, or a path."
}

locals {
  window = 1200 # optimizer steps between two evaluations
  recipe = {
    batch_size         = 32
    weight_decay       = 0.1
    betas              = [0.9, 0.95]
    clip               = 1
    prompt_loss_weight = 0.1
    warmup_steps       = 30
    min_lr_ratio       = 0.05
    spaces_apart       = true
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

  max_steps        = 2 * local.window
  schedule_steps   = local.window
  save_every_steps = 400
  seed             = var.seed

  select {
    split = "validation"
  }
}

# Runs generator_v1, and every student: what a promotion brings is served from the exported file.
generator "openai" "served" {
  model       = trainer.llama.base
  samples     = 12000
  temperature = 1
  max_tokens  = 96
  seed        = var.seed

  serve {
    command = var.llama_server
    # 16 texts at a time, of up to 256 tokens each. On so small a model a second thread costs more than it brings.
    args = ["--model", "{model}", "--host", "127.0.0.1", "--port", "{port}", "--ctx-size", "4096", "--parallel", "16", "--threads", "1"]
  }
}

filter "quality" "shape" {
  min_chars = 8
  max_chars = 160
}

trainer "llama" "student" {
  layers        = 2
  dim           = 64
  heads         = 4
  ffn           = 176
  dropout       = 0.1
  learning_rate = 0.007
  recipe        = local.recipe

  max_steps        = 2 * local.window
  schedule_steps   = local.window
  save_every_steps = 400
  seed             = var.seed

  select {
    split = "validation"
  }
}

exporter "llama" "gguf" {}

evaluator "panel" "default" {}

self_improvement "quantities" {
  domain    = module.quantities.domain
  generator = generator.openai.served
  filters   = [filter.quality.shape]
  trainer   = trainer.llama.student
  exporter  = exporter.llama.gguf
  evaluator = evaluator.panel.default

  regenerate               = "cycle"
  eval_every_steps         = local.window
  min_steps_before_replace = local.window
  improvement_threshold    = 0.05 # 5 % better than the generator in use
  benchmark_samples        = 500
  pool_cap                 = 30
}
