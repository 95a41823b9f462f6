module "base" {
  source = "../base"
}
output "x" {
  value = module.base.secret # ERROR: Add sensitive = true
}
