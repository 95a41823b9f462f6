locals {
  a = 1
}
variable "x" {
  default = local.a # ERROR: Default is not constant
}
