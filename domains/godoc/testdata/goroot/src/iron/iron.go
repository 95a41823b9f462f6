// Package iron measures plane figures.
package iron

// Bar is a bar of iron of some length.
type Bar struct{ Length int }

// Bend bends a bar at a place, and gives both ends.
func Bend(b Bar, at int) (left, right Bar) {
	return Bar{at}, Bar{b.Length - at}
}

// Melt makes one bar of many.
func Melt(bars []Bar) Bar {
	var all Bar
	for _, b := range bars {
		all.Length += b.Length
	}
	return all
}
