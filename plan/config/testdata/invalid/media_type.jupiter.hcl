exporter "llama" "e" {}
filter "like" "f" {
  sample = exporter.llama.e # ERROR: gives "application/vnd.gguf" # ERROR: does not act on a reference
}
