// Package builtin is documentation.
package builtin

// Undeclared is of a type that is nowhere.
var Undeclared Nowhere
