jupiter {
  required_plugins {
    a = { source = "./a", verison = "1" }    # ERROR: Did you mean "version"?
    b = { source = "./b", version = "=> 1" } # ERROR: Invalid version constraint
    c = { version = ">= 1" }                 # ERROR: Plugin without a source
    d = "./d"                                # ERROR: Wrong type
    e = { source = ["./e"] }                 # ERROR: Wrong type
    f = { source = "./f" }
    g = { source = local.x } # ERROR: Variables not allowed
  }
  required_plugins { # ERROR: Duplicate block
    h = { source = "./h" }
  }
}
# The plugins that could not be read may offer it: nothing is said about it.
exporter "unknown" "e" {}
