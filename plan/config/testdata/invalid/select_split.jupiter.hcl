trainer "llama" "t" {
  max_steps        = 100
  save_every_steps = 10
  select {
    split = "gate" # ERROR: what picks a model cannot judge it
    every = 15 # ERROR: not a multiple of save_every_steps
  }
}
