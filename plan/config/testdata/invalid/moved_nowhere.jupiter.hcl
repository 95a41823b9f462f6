moved {
  from = exporter.llama.old
  to   = exporter.llama.new # ERROR: is not declared
}
