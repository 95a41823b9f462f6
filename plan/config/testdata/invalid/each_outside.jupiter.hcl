trainer "llama" "t" {
  max_steps = each.value # ERROR: only in a block that has for_each
}
