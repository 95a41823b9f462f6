module "base" {
  source = "../base"
}

trainer "llama" "second" {
  max_steps = 100
}

self_improvement { # ERROR: module.base.trainer.llama.student, trainer.llama.second
  eval_every_steps         = 50
  min_steps_before_replace = 50
}
