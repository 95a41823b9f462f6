domain "d" {
  description = "d"
  mix_ratio   = { real = 0.35, synthetic = 0.6, code = 0.05 } # ERROR: gives the bucket "code" a share of 0.05

  source "files" "f" {
    bucket = "real"
  }

  template "t" {
    bucket = "synthetic"
  }
}
