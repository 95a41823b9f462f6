variable "x" { # ERROR: --var x=
  type = string
}
