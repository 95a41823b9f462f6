locals {
  x = file("../base/base.jupiter.hcl") # ERROR: lies outside of the module's directory
}
