exporter "llama" "e" {}
generator "llama" "g" {
  samples = exporter.llama.e # ERROR: samples takes a number, and this refers to exporter exporter.llama.e
}
