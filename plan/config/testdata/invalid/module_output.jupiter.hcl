module "base" {
  source = "../base"
}
locals {
  x = module.base.domian # ERROR: Did you mean "domain"?
}
