jupiter {
  state_dir = "." # ERROR: must be a directory of its own
}
