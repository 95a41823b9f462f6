filter "quality" "f" {
  min_chars = 8
  lifecycle {
    prevent_destroy = "perhaps" # ERROR: true or false
    ignore_changes  = [min_char] # ERROR: Did you mean "min_chars"?
  }
}
filter "quality" "g" {
  lifecycle {
    ignore_changes = "min_chars" # ERROR: a list of names
  }
}
filter "quality" "h" {
  lifecycle {
    ignore_changes = [min_chars, 3, max_chars] # ERROR: a list of names, and this is none
  }
  lifecycle {} # ERROR: There may be one lifecycle block
}
