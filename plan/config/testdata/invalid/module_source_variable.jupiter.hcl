locals {
  where = "../base"
}
module "base" {
  source = local.where # ERROR: Source is not constant
}
