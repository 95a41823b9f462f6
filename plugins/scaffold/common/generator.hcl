# How a plan requires the plugin, and uses its stage. Both blocks go into a plan of yours.

jupiter {
  required_plugins {
    starter = {
      source  = "@PROGRAM@"
      version = ">= 0.1"
    }
  }
}

# Named by a cycle: generator = generator.starter.words.
generator "starter" "words" {
  samples = 100
  length  = 8
}
