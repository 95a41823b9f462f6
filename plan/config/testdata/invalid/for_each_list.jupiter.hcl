trainer "llama" "t" {
  for_each  = ["x", "y"] # ERROR: toset
  max_steps = 10
}
