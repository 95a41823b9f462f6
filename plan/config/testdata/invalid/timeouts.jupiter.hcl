exporter "llama" "e" {
  timeouts { # ERROR: exporter.llama.e has none of its own
    run = "1h"
  }
}
exporter "llama" "patient" {
  timeouts {
    stall = "1h"
  }
}
filter "quality" "f" {
  timeouts {
    run  = "soon" # ERROR: Not a length of time
    stop = "-2m" # ERROR: Not a length of time
    stall = "0s" # ERROR: Not a length of time
    for  = "2m" # ERROR: not expected here
  }
}
