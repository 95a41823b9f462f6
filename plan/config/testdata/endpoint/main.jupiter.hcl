cluster "home" {
  node "laptop" {
    host = "localhost"
    role = "hybrid"
  }
  node "mini" {
    host     = "mini.local"
    role     = "generator"
    endpoint = "http://mini.local:11434/v1"
  }
}

generator "openai" "teacher" {
  node       = "mini"
  model_name = "llama3.2:3b"
}
