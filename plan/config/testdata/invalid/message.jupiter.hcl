variable "n" {
  type    = number
  default = 12 # ERROR: 12 is above 10

  validation {
    condition     = var.n <= var.most
    error_message = "${var.n} is above ${var.most}."
  }
}

variable "most" {
  type    = number
  default = 10

  validation {
    condition     = var.most > 0
    error_message = local.nothing # ERROR: local.nothing is not declared
  }
  validation {
    condition     = var.most > 0
    error_message = "not with ${var.key}" # ERROR: cannot come from a sensitive variable
  }
}

variable "key" {
  type      = string
  sensitive = true
  default   = "x"
}
