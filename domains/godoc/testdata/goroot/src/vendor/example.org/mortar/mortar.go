// Package mortar comes from elsewhere.
package mortar

// Mix is sand and lime.
type Mix struct{ Sand, Lime int }
