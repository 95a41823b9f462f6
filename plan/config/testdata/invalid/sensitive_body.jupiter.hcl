module "base" {
  source = "../base"
}
generator "openai" "g" {
  base_url = module.base.secret # ERROR: cannot come from a sensitive variable
  api_key  = module.base.secret
}
