moved {
  from = "exporter.llama.old" # ERROR: written without quotes and without
  to   = exporter.llama.new
}
