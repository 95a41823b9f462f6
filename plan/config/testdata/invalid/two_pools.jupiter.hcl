domain "d" {
  description = "d"
  mix_ratio   = { real = 1 }
  source "files" "f" {
    bucket = "real"
  }
  evaluation {
    custom_eval_file = "../base/gate.jsonl"
    split "gate" {
      file = "../base/gate.jsonl" # ERROR: Keep one or the other
    }
  }
}
