trainer "lama" "s" { # ERROR: There is no trainer "lama"; there is llama
  max_steps = 10
}
