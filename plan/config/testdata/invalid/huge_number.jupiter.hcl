locals {
  a = "x${1e99999999}" # ERROR: exponent of at most four digits
}
