domain "d" {
  description = "d"
  mix_ratio   = { real = 0.35, synthetic = 0.65 }
  licenses {
    deny = ["GPL-3.0"]
  }

  source "files" "f" {
    bucket  = "real"
    license = "GPL-3.0" # ERROR: refuses GPL-3.0
  }

  template "t" {
    bucket = "synthetic"
  }
}
