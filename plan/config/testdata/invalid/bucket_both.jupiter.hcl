domain "d" {
  description = "d"
  mix_ratio   = { real = 1 } # WARNING: Real share above

  source "files" "f" {
    bucket = "real"
  }

  template "t" {
    bucket = "real" # ERROR: real and synthetic
  }
}
