cluster "c" {
  driver = "slurm" # ERROR: There is no driver "slurm"
  node "a" {
    host = "a.local" # ERROR: starts workers on a.local
    role = "generator"
  }
  node "b" {
    host = "localhost"
    role = "trainer"
  }
}
