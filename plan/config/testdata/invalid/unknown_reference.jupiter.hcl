locals {
  window = 10
}
trainer "llama" "s" {
  max_steps = local.windw # ERROR: Did you mean "local.window"?
}
