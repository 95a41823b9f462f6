generator "llama" "g" {
  model = "trainer.llama.a" # ERROR: model refers to a block and is written trainer.TYPE.NAME
}
