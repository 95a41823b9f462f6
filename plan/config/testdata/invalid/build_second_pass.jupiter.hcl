domain "d" {
  description = "d"
  mix_ratio   = { real = 1 }

  source "files" "f" {
    bucket = "real"
  }

  evaluation {
    build { # ERROR: The second pass asks a generator # ERROR: There is no file benchmark/dev.jsonl: jupiter benchmark build makes it # ERROR: There is no file benchmark/validation.jsonl # ERROR: There is no file benchmark/gate.jsonl
      documents = ["${path.module}/*.md"]
      kinds     = ["cloze"]
    }
  }
}
