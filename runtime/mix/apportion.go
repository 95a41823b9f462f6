package mix

import "math"

// apportion assigns draws to buckets one by one so that after every t draws each bucket has its share of t within one
// draw. It is the quota method for the chairman assignment problem (Tijdeman, 1980): among the buckets whose next draw
// would not put them above their share of t by a whole draw, the one whose next draw is due first is served.
//
// Serving by largest remainder at each t instead would take draws back: its counts are not monotone in t.
type apportion struct {
	shares []float64
	counts []uint64
	t      uint64
}

func newApportion(shares []float64) *apportion {
	return &apportion{shares: shares, counts: make([]uint64, len(shares))}
}

// next returns the bucket of the next draw.
func (a *apportion) next() int {
	a.t++
	slack := 0.0 // of the eligibility test; with one bucket there is nothing to choose
	if n := len(a.shares); n > 1 {
		slack = 1 / (2*float64(n) - 2)
	}
	best, due := -1, math.Inf(1)
	most, deficit := 0, math.Inf(-1)
	for i, share := range a.shares {
		behind := share*float64(a.t) - float64(a.counts[i])
		if behind > deficit {
			most, deficit = i, behind
		}
		if behind < slack {
			continue
		}
		if d := (float64(a.counts[i]) + 1 - slack) / share; d < due {
			best, due = i, d
		}
	}
	if best < 0 { // rounding left no bucket eligible
		best = most
	}
	a.counts[best]++
	return best
}

// fit returns how many whole blocks the buckets can fill within MaxRepeats, and what is short where that is fewer than
// asked for.
func fit(r Request, buckets []side) (uint64, *ShortError) {
	asked := r.Draws / r.Block
	if r.MaxRepeats == 0 {
		return asked, nil
	}
	a := newApportion(shares(buckets))
	var short *ShortError
	for block := range asked {
		for range r.Block {
			i := a.next()
			if room := uint64(len(buckets[i].records)) * r.MaxRepeats; a.counts[i] > room && short == nil {
				b := buckets[i]
				short = &ShortError{Bucket: b.name, Real: b.real, Available: uint64(len(b.records)), Blocks: block}
			}
		}
		if short != nil {
			break
		}
	}
	if short == nil {
		return asked, nil
	}
	for _, b := range buckets {
		if b.name == short.Bucket {
			short.Needed = uint64(math.Ceil(b.share * float64(r.Draws) / float64(r.MaxRepeats)))
		}
	}
	return short.Blocks, short
}

func shares(buckets []side) []float64 {
	out := make([]float64, len(buckets))
	for i, b := range buckets {
		out[i] = b.share
	}
	return out
}
