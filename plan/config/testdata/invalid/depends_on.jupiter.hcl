exporter "llama" "e" {}
filter "quality" "f" {
  depends_on = [exporter.llama.e] # ERROR: exporter.llama.e has none of its own
}
filter "quality" "g" {
  depends_on = ["filter.quality.f"] # ERROR: It is no string
}
