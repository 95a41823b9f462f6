cluster "lab" { # ERROR: No node can train
  node "here" {
    host = "localhost"
    role = "generator"
  }
}
evaluator "panel" "p" {
  node = "her" # ERROR: Did you mean "here"?
}
trainer "llama" "t" {
  node      = "here" # ERROR: cannot train
  max_steps = 10
}
