variable "token" {
  default   = "very secret"
  sensitive = true
}

notify "both" { # ERROR: either command or webhook
  command = ["true"]
  webhook = "https://hooks.example.com"
}

notify "none" {} # ERROR: either command or webhook

notify "twice" {
  command = ["true"]
}

notify "twice" { # ERROR: was already declared
  command = ["true"]
}

notify "words" {
  on      = ["promotion", "halted"] # ERROR: Did you mean "halt"
  command = ["true"]
  timeout = "1h" # ERROR: must be between 1s and 10m0s
}

notify "quiet" {
  on      = [] # ERROR: and empty
  command = []
  headers = { A = "b" } # ERROR: this block has a command
}

notify "file" {
  webhook = "file:///${var.token}" # ERROR: of http or https
  headers = { Host = "elsewhere" } # ERROR: "Host" is no name of an HTTP header that can be set here
}

notify "split" {
  webhook = "http://127.0.0.1"
  headers = { Authorization = "${var.token}\r\nX: y" } # ERROR: without control characters
}

notify "kind" {
  webhook = ["http://127.0.0.1"] # ERROR: webhook takes a text, and this is none
}

notify "empty" {
  command = [""] # ERROR: a program and its arguments
}
