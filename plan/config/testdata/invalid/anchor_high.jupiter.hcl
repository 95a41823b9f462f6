domain "d" {
  description = "d"
  mix_ratio   = { real = 0.5, synthetic = 0.5 } # WARNING: 50 % of the draws are real

  source "files" "f" {
    bucket = "real"
  }

  template "t" {
    bucket = "synthetic"
  }
}
