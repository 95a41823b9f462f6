domain "d" {
  description = "d"
  language    = "english" # ERROR: "english" is no language
  mix_ratio   = { real = 1 }
  source "files" "f" {
    bucket = "real"
  }
}
