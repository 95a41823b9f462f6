domain "d" {
  description = "d"
  mix_ratio   = { real = 0.35, synthetic = 0.65 }

  source "files" "f" {
    bucket = "real"
  }

  template "t" { # ERROR: and "t" has none
    bucket = "synthetic"
  }

  template "u" {
    bucket = "synthetic"
    weight = 0.5
  }
}
