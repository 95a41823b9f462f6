# How a plan requires the plugin, and uses its stage. Both blocks go into a plan of yours.

jupiter {
  required_plugins {
    starter = {
      source  = "@PROGRAM@"
      version = ">= 0.1"
    }
  }
}

# Named by a cycle, among others: filters = [filter.starter.calm].
filter "starter" "calm" {
  max_share = 0.3
}
