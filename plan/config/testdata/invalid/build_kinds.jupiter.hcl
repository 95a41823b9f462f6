domain "d" {
  description = "d"
  mix_ratio   = { real = 1 }

  source "files" "f" {
    bucket = "real"
  }

  evaluation {
    custom_eval_file = "${path.module}/../base/gate.jsonl" # ERROR: Keep one or the other
    split "gate" {
      file = "${path.module}/../base/gate.jsonl" # ERROR: split "gate" is given too
    }
    build { # ERROR: There is no file benchmark/dev.jsonl # ERROR: There is no file benchmark/validation.jsonl
      documents   = [] # ERROR: documents names files
      kinds       = ["cloze", "clozes", "cloze"] # ERROR: and not "clozes". Did you mean "cloze"? # ERROR: kinds has "cloze" twice
      second_pass = false
      items       = 0    # ERROR: items must be a whole number of at least 1
      held_out    = 1    # ERROR: held_out must be between 0 and 0.9
      dev         = 0    # ERROR: dev must be between 0.01 and 0.9
      review      = "no" # ERROR: review is one of "optional", "required"
    }
  }
}
