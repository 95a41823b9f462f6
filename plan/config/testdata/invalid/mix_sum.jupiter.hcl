domain "d" {
  description = "d"
  mix_ratio   = { real = 0.35, synthetic = 0.6 } # ERROR: sum to 0.95

  source "files" "f" {
    bucket = "real"
  }

  template "t" {
    bucket = "synthetic"
  }
}
