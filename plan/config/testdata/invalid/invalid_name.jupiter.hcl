exporter "llama" "1e" {} # ERROR: "1e" cannot be a name
