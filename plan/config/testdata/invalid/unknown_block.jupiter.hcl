trainr "llama" "x" { # ERROR: Unsupported block type
}
