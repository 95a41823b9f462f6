trainer "llama" "a" { # ERROR: trainer.llama.a → trainer.llama.b → trainer.llama.a
  max_steps = 10
  start     = trainer.llama.b # ERROR: does not stand alone
}
trainer "llama" "b" {
  max_steps = 10
  start     = trainer.llama.a # ERROR: does not stand alone
}
