trainer "llama" "s" { # ERROR: "max_steps" is required
}
