domain "d" {
  description = "d"
  mix_ratio   = { real = 0.2, synthetic = 0.8 } # ERROR: 20 % of the draws are real, and the anchor asks for at least 30 %

  source "files" "f" {
    bucket = "real"
  }

  template "t" {
    bucket = "synthetic"
  }
}
