exporter "llama" "e" {}
locals {
  x = exporter.llama.e.dtype # ERROR: names a block, and its attributes cannot be read
}
