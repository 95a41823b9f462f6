module "base" {
  source = "github.com/x/y" # ERROR: its source starts with ./ or ../
}
