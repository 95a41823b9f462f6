trainer "llama" "inline" {
  max_steps = 10
  layers    = 2
  dim       = 8
  heads     = 2
  dataset   = domain.d.real

  recipe = {
    batch_size   = 2
    weight_decya = 0.1 # ERROR: recipe has no "weight_decya". Did you mean "weight_decay"?
  }
}

trainer "llama" "shared" {
  max_steps = 10
  layers    = 2
  dim       = 8
  heads     = 2
  dataset   = domain.d.real
  recipe    = local.recipe # ERROR: recipe has no "batch_sise". It may have batch_size, betas
}

trainer "llama" "part" {
  max_steps = 10
  layers    = 2
  dim       = 8
  heads     = 2
  dataset   = domain.d.real
  recipe    = { batch_size = "many" } # ERROR: at recipe.batch_size, a number is required
}

locals {
  recipe = { batch_sise = 2 }
}

domain "d" {
  description = "d"
  mix_ratio   = { real = 1 }
  source "files" "f" {
    bucket = "real"
  }
}
