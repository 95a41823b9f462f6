module "base" {
  source = "../base"
}
trainer "llama" "t" {
  for_each  = toset([module.base.secret]) # ERROR: cannot come from a sensitive value
  max_steps = 10
}
