module "base" {
  source = "../base/base.jupiter.hcl" # ERROR: which is not a directory
}
