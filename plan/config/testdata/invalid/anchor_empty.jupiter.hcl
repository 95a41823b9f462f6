domain "d" {
  description = "d"
  mix_ratio   = { real = 0.35, synthetic = 0.65 }
  anchor {
    min = 0.5 # ERROR: no real share lies between
    max = 0.4
  }

  source "files" "f" {
    bucket = "real"
  }

  template "t" {
    bucket = "synthetic"
  }
}
