variable "n" {
  default = 1

  validation {
    condition     = "maybe" # ERROR: A condition is true or false
    error_message = "never shown"
  }
}
