domain "a" {
  description = "d"
  mix_ratio   = { real = 0.35, synthetic = 0.65 }

  source "files" "f" {
    bucket = "real"
  }

  template "t" {
    bucket = "synthetic"
  }

  evaluation {
    split "gate" {
      file = "../base" # ERROR: Not a file
    }
  }
}
