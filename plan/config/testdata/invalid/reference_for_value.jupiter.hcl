exporter "llama" "e" {}
generator "llama" "g" {
  max_tokens = exporter.llama.e # ERROR: max_tokens takes a number, and this refers to exporter exporter.llama.e
  any        = exporter.llama.e
}
