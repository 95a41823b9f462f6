generator "llama" "g" {
  model = trainer.llama # ERROR: is written trainer.TYPE.NAME
}
