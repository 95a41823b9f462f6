# Documentation and code of Go's standard library. The data are made on this machine: go run ./domains/godoc/gen

variable "real_share" {
  type        = number
  default     = 0.35
  description = "Share of real examples among the draws of a training window."
}

locals {
  # Which Go the data were made of. Where this file is missing, so are they.
  go = jsondecode(file("${path.module}/goroot.json")) # made by: go run ./domains/godoc/gen
}

# Type-checks each declaration in the package that it names.
verifier "godoc" "compiles" {
  goroot  = local.go.goroot
  version = local.go.version
}

domain "godoc" {
  description = "Documentation and code of Go's standard library"
  language    = "en"
  verifier    = verifier.godoc.compiles

  mix_ratio = {
    real      = var.real_share
    synthetic = 1 - var.real_share
  }

  anchor {
    min = 0.30
    max = 0.40
  }

  source "files" "declarations" {
    bucket  = "real"
    paths   = ["${path.module}/real.jsonl"]
    license = "BSD-3-Clause"
  }

  # No prompt: the generator writes package, doc comment and declaration from the beginning-of-text token.
  template "declaration" {
    bucket = "synthetic"
  }

  # No package of these files is in real.jsonl, or in another of them.
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
  value = domain.godoc
}
