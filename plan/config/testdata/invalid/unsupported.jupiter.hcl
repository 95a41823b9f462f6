jupiter {
  required_plugins {
    x = { source = "x/y", version = "1" } # ERROR: required_plugins
  }
}
exporter "llama" "e" {
  budget {
    hours  = 1
    tokens = 100 # ERROR: Budget of nothing
  }
}
