exporter "llama" "e" {}
generator "llama" "g" {
  any = [exporter.llama.e] # ERROR: which is an address
}
