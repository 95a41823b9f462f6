module "me" {
  source = "../invalid" # ERROR: Module calls itself
}
