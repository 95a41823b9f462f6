moved {
  from = "exporter.llama.old" # ERROR: written without quotes
  to   = exporter.llama.new
}
