domain "d" {
  description = # ERROR: Invalid expression
}
