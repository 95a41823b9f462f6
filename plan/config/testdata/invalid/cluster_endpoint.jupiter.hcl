cluster "c" {
  node "here" {
    host = "localhost"
    role = "hybrid"
  }
  node "served" {
    host     = "mini.local"
    role     = "generator"
    endpoint = "http://mini.local:11434/v1"
  }
  node "no_address" {
    host     = "b.local" # ERROR: as in "http://b.local:11434/v1"
    role     = "generator"
    endpoint = "b.local:11434"
  }
  node "trains" {
    host     = "c.local" # ERROR: there is no driver that trains there
    role     = "hybrid"
    endpoint = "http://c.local/v1"
  }
}
evaluator "panel" "p" {
  node = "served" # ERROR: to generators, and does nothing else
}
generator "llama" "l" {
  model = "models/base.gguf"
  node  = "served" # ERROR: generator "llama" asks no server
}
generator "openai" "o" {
  base_url = "http://elsewhere/v1" # ERROR: leave base_url out, or node
  node     = "served"
}
