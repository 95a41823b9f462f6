# Worked examples in mixed-radix units and calendar arithmetic. One directory per domain; a plan uses it as a module.

variable "real_share" {
  type        = number
  default     = 0.35
  description = "Share of real examples among the draws of a training window."
}

variable "anchor_min" {
  type        = number
  default     = 0.30
  description = "Least real share; the ablations lower it."
}

# Checks every step and the answer, and gives each example its canonical key.
verifier "quantities" "exact" {}

domain "quantities" {
  description = "Mixed-radix units and calendar arithmetic, worked step by step"
  language    = "es"
  verifier    = verifier.quantities.exact

  mix_ratio = {
    real      = var.real_share
    synthetic = 1 - var.real_share
  }

  anchor {
    min = var.anchor_min
    max = 0.40
  }

  source "files" "examples" {
    bucket  = "real"
    paths   = ["${path.module}/real.jsonl"]
    license = "CC0-1.0"
  }

  # No prompt: the generator writes question and solution from the beginning-of-text token.
  template "example" {
    bucket = "synthetic"
  }

  # No canonical key of these files occurs in real.jsonl, or in another of them.
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
  value = domain.quantities
}
