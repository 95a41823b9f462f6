domain "d" {
  description = "d"
  mix_ratio   = { real = 1 }

  source "files" "f" {
    bucket = "real"
  }

  evaluation {
    build { # ERROR: There is no file built/dev.jsonl # ERROR: There is no file built/gate.jsonl
      documents   = ["${path.module}/*.md"]
      directory   = "${path.module}/built"
      kinds       = ["cloze"]
      held_out    = 0
      second_pass = false
      teacher     = generator.llama.g # ERROR: nobody asks the teacher
    }
  }
}

domain "e" {
  description = "e"
  mix_ratio   = { real = 1 }

  source "files" "f" {
    bucket = "real"
  }

  evaluation {
    build { # ERROR: There is no file built/dev.jsonl # ERROR: There is no file built/gate.jsonl
      documents = ["${path.module}/*.md"]
      directory = "${path.module}/built" # ERROR: in the same directory as that of domain.d
      kinds     = []                     # ERROR: kinds is one or both of
      held_out  = 0
      teacher   = generator.llama.g # ERROR: A teacher names its model itself
    }
  }
}

trainer "llama" "t" {
  dataset   = domain.d.real
  max_steps = 10
}

generator "llama" "g" {
  model = trainer.llama.t
}
