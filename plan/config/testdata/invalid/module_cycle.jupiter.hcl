module "base" {
  source = "../base"
  gate   = local.x
}
locals {
  x = module.base.secret # ERROR: local.x → module.base → local.x
}
