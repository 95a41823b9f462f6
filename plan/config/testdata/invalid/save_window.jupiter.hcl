module "base" {
  source = "../base"
}
trainer "llama" "t" {
  dataset          = module.base.domain.real
  max_steps        = 100
  save_every_steps = 30 # ERROR: not a multiple of save_every_steps = 30
}
trainer "llama" "u" {
  dataset        = module.base.domain.mix # ERROR: stands alone
  max_steps      = 100
  schedule_steps = 200 # ERROR: Window longer than the run
}
