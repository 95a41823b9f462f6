variable "x" {
  type    = list(number)
  default = ["a"] # ERROR: Wrong type
}
