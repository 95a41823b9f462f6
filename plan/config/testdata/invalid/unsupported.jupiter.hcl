jupiter {
  required_plugins {
    x = { source = "x/y", version = "1" } # ERROR: required_plugins
  }
}
exporter "llama" "e" {
  budget { # ERROR: budget
    hours = 1
  }
}
