package train

import "math"

// Schedule is the learning rate of one window: a linear warm-up over the first Warmup steps, and a cosine from Peak down
// to Floor·Peak over the whole window.
type Schedule struct {
	Peak   float64
	Floor  float64 // in [0, 1]
	Warmup uint64
	Steps  uint64 // of the window
}

// At is the learning rate of step i of the window, 0 ≤ i < Steps: warm-up factor × (Floor + (1−Floor)·½(1+cos(π·i/Steps))).
func (s Schedule) At(i uint64) float64 {
	warm := 1.0
	if i < s.Warmup {
		warm = float64(i+1) / float64(s.Warmup)
	}
	cosine := 0.5 * (1 + math.Cos(math.Pi*float64(i)/float64(max(1, s.Steps))))
	return s.Peak * warm * (s.Floor + (1-s.Floor)*cosine)
}
