module "base" {
  source = "../base"
  gaet   = "x" # ERROR: Did you mean "gate"?
}
