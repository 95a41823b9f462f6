exporter "llama" "e" {
  budget {
    hours  = 1
    tokens = 100 # ERROR: Budget of nothing
  }
}
