exporter "llama" "e" {
  timeouts { # ERROR: timeouts
    run = "2 minutes" # ERROR: Not a length of time
  }
}
