trainer "llama" "s" {
  max_steps = 10
  dataset   = domain.d.real
  layers    = "three" # ERROR: a number is required
}

domain "d" {
  description = "d"
  mix_ratio   = { real = 1 }
  source "files" "f" {
    bucket = "real"
  }
}
