# A teacher behind a server, a student with adapters, and documents: SmolLM2-135M-Instruct, which llama-server runs, writes about
# what the packages of Go's standard library say of themselves, and the trainer mlx teaches the same model with them. What is promoted is
# merged, exported and served in its place. `prepare` makes all that is read here.

jupiter {
  required_plugins {
    mlx = { source = "./venv/bin/jupiter-mlx" }
  }
}

variable "seed" {
  type    = number
  default = 1
}

variable "window" {
  type        = number
  default     = 40
  description = "Optimizer steps between two evaluations."
}

variable "windows" {
  type        = number
  default     = 2
  description = "Windows that the student trains at most."
}

variable "samples" {
  type        = number
  default     = 120
  description = "Texts that the generator in use writes in each cycle."
}

variable "guard_samples" {
  type        = number
  default     = 100
  description = "Half of the texts that each model writes for the guard."
}

variable "max_tokens" {
  type        = number
  default     = 64
  description = "Tokens after which a text is cut. What is cut is not learned."
}

variable "items" {
  type        = number
  default     = 320
  description = "Items of the benchmark."
}

variable "gate_items" {
  type        = number
  default     = 250
  description = "Most items of the gate pool that a decision looks at."
}

variable "threshold" {
  type        = number
  default     = 0.05
  description = "How much better than the generator in use a student must be."
}

variable "server_threads" {
  type        = number
  default     = 2
  description = "Threads of llama-server. Where other work takes a processor away, one is faster than two."
}

variable "llama_server" {
  type        = string
  default     = "llama-server"
  description = "The program: a name on the PATH, or a path."
}

locals {
  # Paragraphs of the documents: not headings, lists or code.
  paragraphs = flatten([for name in fileset("documents", "*.md") : [
    for p in split("\n\n", file("documents/${name}")) : p if strlen(p) >= 100 && strlen(p) <= 400 && !can(regex("^[#\t ]", p))
  ]])
}

domain "packages" {
  description = "The packages of Go's standard library"
  language    = "en"
  mix_ratio   = { documents = 0.4, teacher = 0.6 }

  source "files" "documents" {
    bucket     = "documents"
    paths      = ["documents"]
    license    = "BSD-3-Clause"
    part_chars = 900
  }

  # With a system message it is a chat, by the model's own template; the items of the benchmark are texts to go on with.
  # A teacher as small as this one keeps to what it has before it, and answers little that is right from memory.
  template "explanation" {
    bucket        = "teacher"
    system_prompt = "You explain Go's standard library."
    prompt        = "Explain this in one short sentence:\n\n{passage}"
    values        = { passage = local.paragraphs }
  }

  evaluation {
    build {
      documents   = ["documents"]
      kinds       = ["cloze"]
      second_pass = false
      items       = var.items
      held_out    = 0.1
    }
  }
}

generator "openai" "teacher" {
  model       = "models/SmolLM2-135M-Instruct.Q4_1.gguf"
  samples     = var.samples
  temperature = 0.7
  max_tokens  = var.max_tokens
  stop        = ["\n"] # an answer is a line
  seed        = var.seed

  serve {
    command = var.llama_server
    args    = ["--model", "{model}", "--host", "127.0.0.1", "--port", "{port}", "--ctx-size", "4096", "--parallel", "4", "--threads", "${var.server_threads}"]
  }
}

# A text that is short, or goes round in circles, teaches nothing.
filter "quality" "shape" {
  min_chars = 30
  rules     = ["gopher_repetition"]
}

filter "neardup" "copies" {}

trainer "mlx" "student" {
  start          = "models/SmolLM2-135M-Instruct"
  lora           = { rank = 16, alpha = 32 }
  learning_rate  = 0.0005
  warmup_steps   = 4
  batch_size     = 4
  max_seq_length = 320

  max_steps        = var.windows * var.window
  schedule_steps   = var.window
  save_every_steps = var.window
  seed             = var.seed
}

exporter "llama" "gguf" {
  dtype = "q8_0"
}

evaluator "panel" "default" {}

self_improvement "packages" {
  domain    = domain.packages
  generator = generator.openai.teacher
  filters   = [filter.quality.shape, filter.neardup.copies]
  trainer   = trainer.mlx.student
  exporter  = exporter.llama.gguf
  evaluator = evaluator.panel.default

  eval_every_steps         = var.window
  min_steps_before_replace = var.window
  improvement_threshold    = var.threshold
  benchmark_samples        = var.gate_items
  guard_samples            = var.guard_samples
  max_cycles               = var.windows
}
