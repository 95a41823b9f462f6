trainer "llama" "t" {
  for_each  = toset(["x", "y"])
  max_steps = 10
}
generator "llama" "g" {
  model = trainer.llama.t # ERROR: choose one instance: ["x"]
}
