filter "like" "f" {
  sample = "x" # ERROR: Reference expected
}
