domain "d" {
  description = "d"
  mix_ratio   = { real = 0.35, synthetic = 0.65 }

  source "files" "f" {
    bucket = "real"
  }

  template "t" {
    bucket = "synthetic"
    prompt = "Describe the findings of {condition}." # ERROR: Did you mean {topic}? Otherwise add
    topics = ["pneumonia"] # ERROR: its prompts do not use it
  }
  template "u" {
    bucket = "synthetic"
    prompt = "Describe the findings of {condition}." # ERROR: nothing gives it values. Add: values = { condition
  }
}
