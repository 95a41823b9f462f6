domain "d" {
  description = "d"
  mix_ratio   = { real = 1.35, synthetic = -0.35 } # ERROR: Share out of range

  source "files" "f" {
    bucket = "real"
  }

  template "t" {
    bucket = "synthetic"
  }
}
