locals {
  recipe = { clip = 1, warmup = 2 }
}
trainer "llama" "s" {
  max_steps = 10
  layers    = local.recipe.warmpu # ERROR: Did you mean "warmup"?
}
