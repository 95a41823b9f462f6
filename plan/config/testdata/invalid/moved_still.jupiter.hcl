exporter "llama" "e" {}
exporter "llama" "f" {}
moved {
  from = exporter.llama.e # ERROR: is still declared
  to   = exporter.llama.f
}
moved { # ERROR: was already moved to
  from = exporter.llama.e
  to   = exporter.llama.f
}
moved {
  from = exporter.llama.old
  to   = exporter.llama.old # ERROR: Moved to itself
}
moved {
  from = local.x # ERROR: Address expected
  to   = exporter.llama.e
}
moved {
  from = module.gone
  to   = module.e.filter.quality.f["a"] # ERROR: is not declared
}
