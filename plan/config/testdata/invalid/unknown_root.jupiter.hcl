trainer "llama" "s" {
  max_steps = locals.window # ERROR: Did you mean "local"?
}
