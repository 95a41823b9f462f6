package gate

import (
	"math"

	"jupiter/runtime/guard"
)

// Reading is a figure that may be absent. The zero value is missing, which holds; Unavailable says why it cannot be
// had, and is then named in the decision and does not count.
type Reading struct {
	Value       *float64 `json:"value"`
	Unavailable string   `json:"unavailable,omitempty"`
}

// Known returns a reading of a figure.
func Known(v float64) Reading { return Reading{Value: &v} }

// Unavailable returns a reading that cannot be had, because of why. Why must not be empty.
func Unavailable(why string) Reading { return Reading{Unavailable: why} }

func (r Reading) missing() bool {
	return r.Value == nil && r.Unavailable == "" || r.Value != nil && (math.IsNaN(*r.Value) || math.IsInf(*r.Value, 0))
}

// Pair is one figure of both contestants.
type Pair struct {
	Challenger Reading `json:"challenger"`
	Incumbent  Reading `json:"incumbent"`
}

// Pool is what is known of the gate pool without opening it. The zero value: there is none, and no promotion.
type Pool struct {
	Items    int `json:"items"`
	Clusters int `json:"clusters"` // different clusters, an item without one being its own
}

// PoolOf counts the items and clusters of a benchmark from each item's cluster ("" for none).
func PoolOf(clusters []string) Pool {
	p := Pool{Items: len(clusters)}
	seen := map[string]bool{}
	for _, c := range clusters {
		if c == "" || !seen[c] {
			p.Clusters++
		}
		seen[c] = c != ""
	}
	return p
}

// Evidence is all that a decision rests on.
type Evidence struct {
	Step        uint64       `json:"step"` // optimizer steps of the student so far
	Dev         []Item       `json:"dev"`
	Pool        Pool         `json:"pool"`
	Guard       guard.Report `json:"guard"`
	PassRate    Pair         `json:"pass_rate"`     // of guard.SampleCount raw samples at temperature 1
	BitsPerByte Pair         `json:"bits_per_byte"` // of held-out real text

	// After the look: see NeedsGate.
	Look Look   `json:"look"`
	Gate []Item `json:"gate"`
}
