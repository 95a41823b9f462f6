cluster "c" { # ERROR: places stages on 2 nodes
  node "a" {
    host = "localhost"
    role = "hybrid"
  }
  node "b" {
    host = "localhost" # ERROR: are the same host
    role = "traner" # ERROR: Did you mean "trainer"?
  }
}
