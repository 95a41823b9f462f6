evaluator "panel" "p" {
  node = "here" # ERROR: has no cluster
}
