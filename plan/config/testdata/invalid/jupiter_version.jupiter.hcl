jupiter {
  required_version = ">= 99" # ERROR: This is version 0.1.0, and the configuration requires >= 99
}
