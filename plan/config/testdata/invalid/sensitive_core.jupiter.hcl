module "base" {
  source = "../base"
}
evaluator "panel" "p" {
  node = module.base.secret # ERROR: cannot come from a sensitive variable
}
