# Every block and every attribute of the language, and of the stages that come with the program. ../yaml says the same.

jupiter {
  required_version = ">= 0.0.1"
  state_dir        = "state"
  offline          = false

  required_plugins {}
}

variable "rate" {
  type        = number
  default     = 0.001
  description = "Peak learning rate."
  nullable    = false

  validation {
    condition     = var.rate > 0
    error_message = "The rate must be above 0."
  }
}

variable "token" {
  type      = string
  default   = "secret"
  sensitive = true
}

locals {
  window = 4 * 10
  texts  = { a = "first", b = "second" }
}

module "part" {
  source   = "../part"
  for_each = local.texts
  word     = each.value
}

verifier "quantities" "exact" {}

verifier "godoc" "compiles" {
  goroot  = "/usr/local/go"
  version = "go1.26.1"
}

domain "one" {
  description       = "Everything that a domain says, ${module.part["a"].word}"
  language          = "en"
  keywords          = ["one", "a"]
  negative_keywords = ["two"]
  verifier          = verifier.quantities.exact
  mix_ratio         = { real = 0.35, synthetic = 0.65 }

  anchor {
    min = 0.25
    max = 0.45
  }

  licenses {
    deny = ["proprietary"]
  }

  source "files" "texts" {
    for_each         = local.texts
    bucket           = "real"
    license          = "CC0-1.0"
    paths            = ["../${each.key}.jsonl"]
    format           = "jsonl"
    text_field       = "text"
    prompt_field     = "prompt"
    max_file_size_mb = 8
    part_chars       = 2000
    max_bad          = 2
  }

  template "plain" {
    bucket        = "synthetic"
    type          = "qa"
    weight        = 0.75
    system_prompt = "You know of {topic}."
    prompt        = <<-EOT
      Ask about {topic}, for {task},
      in the manner of {style}, for $${5} and %%{ all }.
    EOT
    topics        = ["numbers", "dates"]
    tasks         = ["a test"]
    values        = { style = ["a teacher", "a clerk"] }
    examples      = ["What is 1 + 1?"]
  }

  template "free" {
    bucket = "synthetic"
    weight = 0.25
  }

  evaluation {
    benchmarks    = ["sums"]
    min_accuracy  = 0.1
    min_coherence = 0.2

    split "validation" {
      file = "../items.jsonl"
    }
    split "dev" {
      files = ["../items.jsonl", "../more.jsonl"]
    }
    split "gate" {
      file = "../items.jsonl"
    }
    split "audit" {
      file = "../more.jsonl"
    }
  }
}

domain "two" {
  description = "A domain with one file of questions"
  mix_ratio   = { real = 1 }

  source "files" "all" {
    bucket = "real"
    paths  = ["../a.jsonl"]
  }

  evaluation {
    custom_eval_file = "../items.jsonl"
  }
}

domain "three" {
  description = "A domain whose questions are made from documents"
  mix_ratio   = { real = 1 }

  source "files" "all" {
    bucket = "real"
    paths  = ["../a.jsonl"]
  }

  evaluation {
    build {
      documents   = ["../docs/**/*.md"]
      directory   = "../built"
      teacher     = generator.openai.hosted
      items       = 1500
      kinds       = ["cloze", "question"]
      held_out    = 0.25
      dev         = 0.3
      seed        = 5
      second_pass = false
      review      = "required"
    }
  }
}

cluster "here" {
  driver                    = "local"
  backend                   = "local"
  sync_every_n_steps        = 2
  gradient_compression      = true
  checkpoint_on_failure     = true
  auto_restart_failed_nodes = true

  node "n" {
    for_each        = toset(["a"])
    host            = "localhost"
    role            = "hybrid"
    device_type     = "cpu"
    chip            = "any"
    memory_gb       = 2.5
    connection_type = "none"
    ssh_user        = "me"
    ssh_port        = 2222
    can_generate    = true
    can_train       = true
  }
  node "served" {
    host     = "mini"
    role     = "generator"
    endpoint = "http://mini:11434/v1"
  }
}

trainer "llama" "base" {
  dataset          = domain.one.real
  preset           = "1m"
  layers           = 1
  dim              = 32
  heads            = 2
  kv_heads         = 1
  ffn              = 64
  max_steps        = 80
  schedule_steps   = 40
  save_every_steps = 20
  seed             = 7

  vocab_size                  = 300
  spaces_apart                = true
  max_seq_length              = 64
  batch_size                  = 4
  gradient_accumulation_steps = 2
  learning_rate               = var.rate
  warmup_steps                = 3
  min_lr_ratio                = 0.1
  weight_decay                = 0.01
  betas                       = [0.9, 0.99]
  clip                        = 0.5
  dropout                     = 0.1
  prompt_loss_weight          = 0.5
  prompts                     = "chat"
  recipe                      = { batch_size = 8, clip = 2 }
  threads                     = 1
}

trainer "llama" "worded" {
  preset     = "1m"
  max_steps  = 80
  vocabulary = ["ft", " ft", "in"]
}

trainer "llama" "given" {
  preset    = "1m"
  max_steps = 80
  tokenizer = file("tokenizer.json")
}

trainer "llama" "student" {
  start            = trainer.llama.base
  preset           = "1m"
  max_steps        = 2 * local.window
  save_every_steps = 10
  depends_on       = [trainer.llama.base]
  node             = "n-a"

  select {
    split = "validation"
    every = 20
  }

  lifecycle {
    prevent_destroy = true
    ignore_changes  = [preset, "seed"]
  }

  timeouts {
    run  = "1h30m"
    stop = "2m"
    stall = "45m"
  }

  limits {
    memory_gb = 1.5
    processes = 500
  }

  budget {
    tokens  = 1000000
    hours   = 1.5
    disk_gb = 3
  }
}

generator "llama" "base" {
  prices {
    version                = "2026-10"
    usd_per_million_input  = 0.25
    usd_per_million_output = 1.5
  }
  budget {
    usd = 2.5
  }
  model              = trainer.llama.base
  samples            = 100
  seed               = 3
  temperature        = 0.8
  top_p              = 0.95
  top_k              = 40
  min_p              = 0.05
  repetition_penalty = 1.1
  max_tokens         = 32
  stop               = ["\n\n", "END"]
  prompts            = "chat"
  batch_size         = 8
  threads            = 2
}

generator "llama" "next" {
  model   = trainer.llama.base
  samples = 200
}

generator "openai" "hosted" {
  base_url        = "https://api.example.com/v1"
  model_name      = "small"
  api_key_env     = "EXAMPLE_API_KEY"
  api             = "chat"
  samples         = 10
  temperature     = 0.7
  top_p           = 0.9
  max_tokens      = 64
  stop            = ["END"]
  json_schema     = { type = "object", properties = { n = { type = "integer" } }, required = ["n"] }
  logprobs        = true
  extra           = { top_k = 40, nested = { on = true } }
  omit            = ["seed"]
  batch_size = 16
  timeout_seconds = 60
  max_retries     = 4

  serve {
    command       = "llama-server"
    args          = ["--model", "{model}", "--port", "{port}", "--ctx-size", "512"]
    env           = { LLAMA_LOG_COLORS = "0" }
    port          = 8099
    path          = "/v1"
    ready         = "/health"
    start_seconds = 30
    idle_seconds  = 5
  }
}

filter "quality" "shape" {
  for_each   = { short = 10, long = 100 }
  min_chars  = 1
  max_chars  = each.value
  min_score  = 0.5
  language   = "en"
  kind       = "prose"
  rules      = ["gopher_quality", "fineweb"]
  thresholds = { gopher_min_words = 2 }
}

filter "neardup" "near" {
  similarity_threshold = 0.9
  num_hashes           = 64
  ngram_size           = 3
  max_memory_mb        = 512
}

exporter "llama" "gguf" {
  format = "gguf"
  dtype  = "f16"
}

evaluator "panel" "panel" {
  likelihood_per = "byte"
}

self_improvement "one" {
  domain    = domain.one
  generator = generator.llama.base
  successor = generator.llama.next
  filters   = [filter.quality.shape["short"], filter.neardup.near]
  trainer   = trainer.llama.student
  exporter  = exporter.llama.gguf
  evaluator = evaluator.panel.panel
  cluster   = cluster.here

  eval_every_steps           = local.window
  improvement_threshold      = 0.02
  threshold_kind             = "absolute"
  min_steps_before_replace   = 40
  benchmark_samples          = 200
  guard_samples              = 300
  keep_last_n_checkpoints    = 2
  always_keep_base_generator = true
  patience                   = 3
  max_cycles                 = 4
  promotion                  = "manual"
  pin_generator              = 1
  regenerate                 = "cycle"
  pool                       = "replace"
  pool_cap                   = 5
  max_repeats                = 60
  mix_ratio                  = { real = 0.4, synthetic = 0.6 }
  verify                     = false
  weights                    = { accuracy = 0.5, coherence = 0.25, domain = 0.25 }

  gate {
    alpha  = 0.1
    strict = true
  }

  guard {
    nll          = { warn = 0.1, halt = 0.2 }
    entropy      = { warn = 0.1 }
    distinct4    = { halt = 0.2 }
    compression  = { warn = 0.1, halt = 0.2 }
    pass_rate    = { warn = 0.1, halt = 0.2 }
    duplicates   = { warn = 0.1, halt = 0.2 }
    family_share = { warn = 0.1, halt = 0.2 }
  }

  budget {
    hours = 12
  }
}

moved {
  from = filter.neardup.old
  to   = filter.neardup.near
}

output "score" {
  value       = self_improvement.one.score
  description = "The score of the generator in use."
}

output "word" {
  value     = "${module.part["b"].word} ${var.token}"
  sensitive = true
}

notify "ops" {
  on      = ["promotion", "failure"]
  webhook = "https://hooks.example.com/${var.token}"
  headers = { Authorization = "Bearer ${var.token}", X-Project = "twins" }
  timeout = "1m"
}

notify "desk" {
  command = ["notify-send", "Jupiter"]
}
