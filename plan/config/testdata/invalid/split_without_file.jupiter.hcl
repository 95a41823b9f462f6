domain "d" {
  description = "d"
  mix_ratio   = { real = 0.35, synthetic = 0.65 }

  source "files" "f" {
    bucket = "real"
  }

  template "t" {
    bucket = "synthetic"
  }

  evaluation {
    split "gate" { # ERROR: names no file
    }
  }
}
