# What is offered for a misspelt word, and what is not.
variable "seed" {
  type = numbr # ERROR: "numbr" is not a valid type specification. Did you mean "number"?
}

variable "list" {
  type    = lst(string) # ERROR: "lst" is not a valid type constructor. Did you mean "list"?
  default = []
}

locals {
  a = var.nope      # ERROR: var.nope is not declared in this module. There is var.seed, var.list.
  b = trainer.llama.nothing # ERROR: trainer.llama.nothing is not declared in this module. There is trainer.llama.s.
}

trainer "llama" "s" {
  max_steps = 10
  layers    = 2
  dim       = 8
  heads     = 2
  selct { # ERROR: Did you mean "select"?
    split = "validation"
  }
}

module "m" {
  sorce = "../base" # ERROR: Did you mean "source"?
}
