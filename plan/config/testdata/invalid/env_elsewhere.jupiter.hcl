locals {
  token = env("TOKEN") # ERROR: env() may be used only in the default of a variable
}
