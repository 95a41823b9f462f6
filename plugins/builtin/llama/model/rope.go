package model

import (
	"fmt"
	"math"
)

// Rope holds the rotations of rotary position embedding (Su et al. 2021) in the convention of Hugging Face's
// rotate_half: element i of a head turns with element i + HeadDim/2, by the angle position · theta^(−2i/HeadDim), where the
// frequencies are not scaled.
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
		freq := c.ropeFrequency(i) / c.RopeFactor(i)
		for p := range positions {
			sin, cos := math.Sincos(float64(p) * freq)
			r.Cos[p*half+i], r.Sin[p*half+i], r.Neg[p*half+i] = float32(cos), float32(sin), float32(-sin)
		}
	}
	return r
}

// Positions is the number of positions tabulated.
func (r *Rope) Positions() int { return len(r.Cos) / r.Half }

// RopeScaling stretches the rotary positions of a model that was trained further on longer texts than it began with. The zero
// value stretches nothing. The names are those of Hugging Face's config.json.
type RopeScaling struct {
	Type     string  `json:"rope_type"`                                  // "linear", "llama3" or ""
	Factor   float64 `json:"factor"`                                     // what frequencies are divided by
	Low      float64 `json:"low_freq_factor,omitempty"`                  // of llama3, as High and Original
	High     float64 `json:"high_freq_factor,omitempty"`                 // above Low
	Original int     `json:"original_max_position_embeddings,omitempty"` // the longest sequence before
}

// The two ways to stretch. Linear divides every frequency by Factor (Chen et al. 2023). Llama 3.1 divides those whose wave is
// longer than Original/Low positions, leaves those alone whose wave is shorter than Original/High, and goes over from one to
// the other between them.
const (
	RopeLinear = "linear"
	RopeLlama3 = "llama3"
)

func (c Config) ropeFrequency(i int) float64 {
	return math.Pow(c.RopeTheta, -2*float64(i)/float64(c.HeadDim))
}

// RopeFactor is what the frequency of element i of a head is divided by: 1 without scaling.
func (c Config) RopeFactor(i int) float64 {
	s := c.RopeScaling
	switch s.Type {
	case RopeLinear:
		return s.Factor
	case RopeLlama3:
		waves := float64(s.Original) * c.ropeFrequency(i) / (2 * math.Pi) // in the longest sequence
		keep := min(1, max(0, (waves-s.Low)/(s.High-s.Low)))
		return 1 / ((1-keep)/s.Factor + keep)
	}
	return 1
}

// check says what is wrong with a scaling.
func (s RopeScaling) check() error {
	switch {
	case s == RopeScaling{}:
		return nil
	case s.Type != RopeLinear && s.Type != RopeLlama3:
		return fmt.Errorf("rotary positions scaled by %q: linear and llama3 are supported", s.Type)
	case !(s.Factor >= 1) || s.Factor > 1e6:
		return fmt.Errorf("the factor of scaled rotary positions is %g: must be from 1 to 1e6", s.Factor)
	case s.Type == RopeLinear && s != RopeScaling{Type: RopeLinear, Factor: s.Factor}:
		return fmt.Errorf("rotary positions scaled by linear have a factor alone")
	case s.Type == RopeLinear:
		return nil
	case !(s.Low > 0) || !(s.High > s.Low) || s.High > 1e6:
		return fmt.Errorf("low_freq_factor %g and high_freq_factor %g: must be above 0, at most 1e6, and the second larger", s.Low, s.High)
	case s.Original < 1 || s.Original > 1<<24:
		return fmt.Errorf("original_max_position_embeddings is %d: must be from 1 to 2^24", s.Original)
	}
	return nil
}

func (s RopeScaling) String() string {
	switch s.Type {
	case "":
		return ""
	case RopeLlama3:
		return fmt.Sprintf(" scaled by llama3 (factor %g, %g to %g of %d)", s.Factor, s.Low, s.High, s.Original)
	}
	return fmt.Sprintf(" scaled by %s (factor %g)", s.Type, s.Factor)
}
