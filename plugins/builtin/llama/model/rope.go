package model

import "math"

// Rope holds the rotations of rotary position embedding (Su et al. 2021) in the convention of Hugging Face's
// rotate_half: element i of a head turns with element i + HeadDim/2, by the angle position · theta^(−2i/HeadDim).
type Rope struct {
	Half int       // HeadDim/2: numbers a position
	Cos  []float32 // [positions, Half]
	Sin  []float32 // [positions, Half]
	Neg  []float32 // −Sin: the inverse rotation, which is also the gradient's
}

// NewRope tabulates the rotations of positions 0 … positions−1.
func NewRope(c Config, positions int) *Rope {
	half := c.HeadDim / 2
	r := &Rope{Half: half, Cos: make([]float32, positions*half), Sin: make([]float32, positions*half), Neg: make([]float32, positions*half)}
	for i := range half {
		freq := math.Pow(c.RopeTheta, -2*float64(i)/float64(c.HeadDim))
		for p := range positions {
			sin, cos := math.Sincos(float64(p) * freq)
			r.Cos[p*half+i], r.Sin[p*half+i], r.Neg[p*half+i] = float32(cos), float32(sin), float32(-sin)
		}
	}
	return r
}

// Positions is the number of positions tabulated.
func (r *Rope) Positions() int { return len(r.Cos) / r.Half }
