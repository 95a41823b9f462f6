trainer "llama" "s" {
  max_steps = 10.5 # ERROR: max_steps must be a whole number of at least 1, and is 10.5
}
