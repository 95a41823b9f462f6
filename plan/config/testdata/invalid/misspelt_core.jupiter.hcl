trainer "llama" "s" {
  max_steps       = 10
  save_every_step = 5 # ERROR: Did you mean "save_every_steps"?
}
generator "llama" "g" {
  sampels = 5 # ERROR: Did you mean "samples"?
}
