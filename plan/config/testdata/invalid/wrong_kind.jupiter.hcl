exporter "llama" "e" {}
generator "llama" "g" {
  model = exporter.llama.e # ERROR: model refers to a trainer, and this is exporter exporter.llama.e
}
