// Package config reads a module, and all modules that it calls, into a Config: typed, evaluated, checked.
//
// Loading has six steps. Files are parsed, HCL and YAML alike, into bodies; nothing is evaluated. The settings of the
// program and the plugins that any module requires are decoded, which everything else needs. Each module's names
// are declared in a scope (package lang) and evaluated on demand; a module call evaluates the called module. Blocks
// are decoded: first the core's own attributes, then what remains with the schema of the plugin that the block's first
// label names. References, which are addresses until then, are linked. At last the rules of the product are checked,
// each a function of its own in rules_*.go.
//
// What the configuration says wrongly is a diagnostic with a place in its source; Load goes on after one as far as it
// can, so that one run shows as much as possible. A Config that comes with errors is incomplete and must not be used
// for anything but showing them.
//
// Nothing in a Config depends on where the tree lies on disk but the fields that say so (Dir, StateDir and the paths
// of Evaluation): paths in plugins' bodies stay as they are written, and path.module is relative to the root module.
// A relative path in a body is relative to Config.Dir; the process that serves a plugin runs there.
package config
