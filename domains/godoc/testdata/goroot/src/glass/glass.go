// Package glass measures plane figures.
package glass

// Pane is a sheet of glass; Clear says whether one can look through.
type Pane struct{ Clear bool }

// Cut cuts a sheet of glass into pieces of one width.
func Cut(p Pane, width int) []Pane { return nil }

// Join melts sheets of glass into one sheet.
func Join(panes []Pane) Pane { return Pane{} }

// Wash makes a sheet of glass clear once more.
func Wash(p *Pane) { p.Clear = true }

// Weigh gives the weight of all sheets in grams.
func Weigh(panes []Pane) (grams float64) { return 0 }
