exporter "llama" "e" {
  timeouts {
    run = "2 minutes" # ERROR: Not a length of time
  }
}
