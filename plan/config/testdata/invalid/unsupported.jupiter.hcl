jupiter {
  required_plugins {
    x = { source = "x/y", version = "1" } # ERROR: required_plugins
  }
}
exporter "llama" "e" {
  depends_on = [evaluator.panel.p] # ERROR: depends_on
  node       = "n" # ERROR: act on node
  lifecycle { # ERROR: lifecycle
    prevent_destroy = true
  }
  timeouts { # ERROR: timeouts
    run  = "1h"
    stop = "2m"
  }
  budget { # ERROR: budget
    hours = 1
  }
}
evaluator "panel" "p" {}
moved { # ERROR: moved
  from = exporter.llama.old
  to   = exporter.llama.e
}
