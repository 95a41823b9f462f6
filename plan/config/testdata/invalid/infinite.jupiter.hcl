trainer "llama" "s" {
  max_steps     = 10
  dataset       = domain.d.real
  layers        = 2
  dim           = 8
  heads         = 2
  learning_rate = 1 / 0 # ERROR: A number is finite
}

domain "d" {
  description = "d"
  mix_ratio   = { real = 1 }
  source "files" "f" {
    bucket = "real"
  }
}
