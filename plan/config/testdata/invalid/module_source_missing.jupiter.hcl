module "base" {
  source = "./nowhere" # ERROR: No module there
}
