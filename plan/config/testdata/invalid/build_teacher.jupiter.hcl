domain "d" {
  description = "d"
  mix_ratio   = { real = 1 }

  source "files" "f" {
    bucket = "real"
  }

  evaluation {
    build { # ERROR: written by a generator # ERROR: There is no file ../base/dev.jsonl # ERROR: There is no file ../base/validation.jsonl
      documents = ["${path.module}/*.md"]
      directory = "${path.module}/../base"
    }
  }
}
