// Package inner is the kiln.
package inner

// Heat is a temperature in kelvin.
type Heat int

// Fire heats the kiln for a brick of a volume.
func Fire(volume int) Heat { return Heat(volume / 1000) }

// Look looks through the pane that glass has.
func Look(p Pane) bool { return p.Clear }

// Pane is a hole in the door.
type Pane struct{ Clear bool }
