generator "far" "g" { # ERROR: The argument "base_url" is required, but no definition was found
  samples = 3
}

generator "far" "h" {
  base_url = null # ERROR: The argument "base_url" is required, and its value is null
}
