domain "d" {
  description = "d"
  mix_ratio   = { real = 1 }

  source "files" "f" {
    bucket = "real"
  }

  template "t" {
    bucket = "qa" # ERROR: fills the bucket "qa"
  }
}
