cluster "c" { # ERROR: Give one role = "trainer"
  node "a" {
    host = "localhost"
    role = "generator"
  }
}
