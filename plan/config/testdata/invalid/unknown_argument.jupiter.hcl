exporter "llama" "e" {
  dtyp = "f32" # ERROR: Unsupported argument
}
