generator "mute" "g" {
  model = "models/base.gguf" # ERROR: generator "mute" takes no models from elsewhere
}
generator "llama" "h" {
  model = "" # ERROR: Reference expected
}
generator "llama" "i" {
  model = 3 # ERROR: Reference expected
}
variable "secret" {
  default   = "models/base.gguf"
  sensitive = true
}
trainer "llama" "t" {
  start     = var.secret # ERROR: Sensitive value
  max_steps = 10
}
trainer "llama" "u" {
  start     = trainer.llama.t # ERROR: does not stand alone
  max_steps = 10
}
