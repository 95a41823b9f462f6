// Package hidden lies where no package is looked for.
package hidden

// Hidden is hidden.
func Hidden() {}
