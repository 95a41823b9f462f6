# What both spellings call.

variable "word" {
  type = string
}

output "word" {
  value = var.word
}
