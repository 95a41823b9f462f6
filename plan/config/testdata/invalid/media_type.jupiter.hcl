exporter "llama" "e" {}
filter "like" "f" {
  sample = exporter.llama.e # ERROR: gives "application/vnd.gguf"
}
