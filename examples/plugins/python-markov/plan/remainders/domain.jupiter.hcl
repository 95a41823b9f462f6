# Remainders of numbers of four digits, by 4, 5, 8 and 25. make.py writes the data.

# Divides, and gives each question its canonical key.
verifier "remainders" "exact" {}

domain "remainders" {
  description = "Remainders of numbers of four digits, by 4, 5, 8 and 25"
  language    = "en"
  verifier    = verifier.remainders.exact

  mix_ratio = {
    real      = 0.35
    synthetic = 0.65
  }

  anchor {
    min = 0.30
    max = 0.40
  }

  source "files" "examples" {
    bucket  = "real"
    paths   = ["${path.module}/real.jsonl"]
    license = "CC0-1.0"
  }

  # No prompt: the generator writes question and answer.
  template "example" {
    bucket = "synthetic"
  }

  # No question of these files occurs in real.jsonl, or in another of them.
  evaluation {
    split "validation" {
      file = "${path.module}/validation.jsonl"
    }
    split "dev" {
      file = "${path.module}/dev.jsonl"
    }
    split "gate" {
      file = "${path.module}/gate.jsonl"
    }
  }
}

output "domain" {
  value = domain.remainders
}
