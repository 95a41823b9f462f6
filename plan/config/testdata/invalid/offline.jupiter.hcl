jupiter {
  offline = true
}
generator "openai" "g" { # ERROR: uses the network
  base_url = "x"
}
