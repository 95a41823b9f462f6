variable "x" {
  type    = number
  default = 3 # ERROR: x is too small
  validation {
    condition     = var.x > 3
    error_message = "x is too small"
  }
}
