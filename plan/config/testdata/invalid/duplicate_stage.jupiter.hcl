exporter "llama" "e" {}
exporter "llama" "e" {} # ERROR: exporter.llama.e was already declared
