// Package shapes measures plane figures.
package shapes

// Point is a place in the plane.
type Point struct{ X, Y float64 }

// Area gives the area of a polygon whose corners are given in order.
func Area(corners []Point) float64 { return 0 }

// Inside reports whether a point lies within a polygon or on its edge.
func Inside(p Point, corners []Point) bool { return false }

// Centre finds the centre of gravity of a polygon; ok is false where there is none.
func Centre(corners []Point) (centre Point, ok bool) { return }

// Turn turns a point around another one by an angle in degrees.
func Turn(p, around Point, angle float64) Point { return p }

// Count gives the number of corners that a name of a figure promises.
func Count(name string) (corners int, err error) { return }

// Distance gives the distance of a point from another.
func (p Point) Distance(to Point) float64 { return 0 }

// Same says nothing that the other comment does not say.
func Same() {}

// Same says nothing that the other comment does not say.
func (p Point) Same() {}
