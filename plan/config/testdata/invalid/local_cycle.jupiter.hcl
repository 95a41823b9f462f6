locals {
  a = local.b # ERROR: local.a → local.b → local.c → local.a
  b = local.c
  c = local.a
}
