// Package brick lays bricks.
package brick

import (
	kiln "brick/inner"

	"example.org/mortar"
	. "glass"
)

// Size is the length, width and height of a brick, in millimetres.
type Size struct{ Length, Width, Height int }

// Volume gives the volume of a size, in cubic millimetres.
func (s Size) Volume() int {
	return s.Length * s.Width * s.Height
}

// Wall is a wall of bricks of one kind.
type Wall[B any] struct {
	bricks []B
	mix    mortar.Mix
}

// Add lays one more brick on a Wall. Add works with any kind of brick.
//
//go:noinline
func (w *Wall[B]) Add(b B) {
	w.bricks = append(w.bricks, b)
}

// Len gives the number of bricks, whatever len says.
func (w *Wall[B]) Len() int { return len(w.bricks) }

// Map makes a Wall of other bricks: Map calls change for each brick.
func Map[A, B any](w *Wall[A], change func(A) B) *Wall[B] { return nil }

// Bake makes a brick as hot as the kiln is.
func Bake(s Size) kiln.Heat {
	return kiln.Fire(s.Volume())
}

// Look looks through the pane that glass has.
func Look(p Pane) bool { return p.Clear }

// Colours that a brick can have; Red is the usual one.
const (
	Red = iota
	Yellow
	White
)

// Usual is the size of a usual brick.
var Usual = Size{240, 115, 71}

// This comment does not say what it is about.
func Silent() {}

/*
Block has a comment of the other kind.
*/
func Block() {}

// init is not to be called.
func init() { Usual.Length++ }

func bare() {}

// Long has a comment that is too long, and so nobody learns anything of it. It goes on and on without a paragraph at which it could be
// cut, and says again what it said before: Long has a comment that is too long, and so nobody learns anything of it. It goes on and on
// without a paragraph at which it could be cut, and says again what it said before, until there is no doubt that it is too long.
func Long() {}

// Parts has a comment of two paragraphs.
//
// The second one is so long that it does not fit, and goes on and on without an end, and says again what it said before: the second
// one is so long that it does not fit, and goes on and on without an end, and says again what it said before: the second one is so
// long that it does not fit, and goes on and on without an end.
func Parts() {}
