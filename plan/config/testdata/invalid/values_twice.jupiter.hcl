domain "d" {
  description = "d"
  mix_ratio   = { real = 0.35, synthetic = 0.65 }

  source "files" "f" {
    bucket = "real"
  }

  template "t" {
    bucket = "synthetic"
    prompt = "About {topic}."
    topics = ["a"] # ERROR: topics fills {topic}, and so does values.topic
    values = { topic = ["b"] }
  }
}
