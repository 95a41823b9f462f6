domain "d" {
  description = "d"
  keywords    = ["a", null]                       # ERROR: Null in a list
  mix_ratio   = { real = 0.35, synthetic = null } # ERROR: Null share

  source "files" "f" {
    bucket = "real"
  }

  template "t" {
    bucket = "synthetic"
    prompt = "{x}"        # ERROR: Unfilled placeholder
    values = { x = null } # ERROR: Null in a map
  }
}
