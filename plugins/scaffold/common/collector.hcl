# How a plan requires the plugin, and uses its stage. Both blocks go into a plan of yours.

jupiter {
  required_plugins {
    starter = {
      source  = "@PROGRAM@"
      version = ">= 0.1"
    }
  }
}

# A source of a domain is a block in it: source "starter" "lines" { … }, with a bucket and the same attributes.
domain "example" {
  description = "What the collector reads"
  mix_ratio   = { real = 1 }

  source "starter" "lines" {
    bucket = "real"
    path   = "lines.txt"
  }
}
