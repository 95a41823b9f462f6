package gate

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Interval is a mean over items with a two-sided confidence interval. It decides nothing: it is for people who set runs side
// by side.
type Interval struct {
	Mean   float64 `json:"mean"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
	N      int     `json:"n"`        // items
	Groups int     `json:"clusters"` // N where no items share a cluster
	Method Method  `json:"method"`
}

// ErrFew says that there are too few items, or clusters, for an interval.
var ErrFew = fmt.Errorf("an interval takes %d items, and %d clusters where items share them", MinItems, MinClusters)

// Difference is the mean of challenger − incumbent over the items, each scored with the weights, at a level such as 0.95.
// Both must have the same components on each item.
func Difference(items []Item, w Weights, level float64) (Interval, error) {
	s, fault := read(items, w)
	if fault != nil {
		return Interval{}, errors.New(fault.Text)
	}
	return s.gain(1, 0).between(level)
}

// Level is the mean of the challengers' scores over the items, whatever the incumbents are.
func Level(items []Item, w Weights, level float64) (Interval, error) {
	alone := make([]Item, len(items))
	for i, it := range items {
		alone[i] = Item{ID: it.ID, Cluster: it.Cluster, Challenger: it.Challenger, Incumbent: it.Challenger}
	}
	s, fault := read(alone, w)
	if fault != nil {
		return Interval{}, errors.New(fault.Text)
	}
	out := sample{values: s.challenger, lo: s.lowest, hi: 1}
	for _, it := range s.items {
		out.clusters = append(out.clusters, it.Cluster)
	}
	return out.between(level)
}

// Runs is the mean of one figure a run, over runs that differ in their seeds alone, with the interval of Student's t with
// n − 1 degrees of freedom. It takes two runs.
func Runs(values []float64, level float64) (Interval, error) {
	n := len(values)
	if n < 2 {
		return Interval{}, errors.New("one run has no interval: what differs from seed to seed takes two")
	}
	if !(level > 0 && level < 1) {
		return Interval{}, fmt.Errorf("confidence level %v is not between 0 and 1", level)
	}
	m, sum := mean(values), 0.0
	for _, v := range values {
		sum += (v - m) * (v - m)
	}
	reach := distuv.StudentsT{Sigma: 1, Nu: float64(n - 1)}.Quantile((1+level)/2) * math.Sqrt(sum/float64(n-1)/float64(n))
	return Interval{Mean: m, Low: m - reach, High: m + reach, N: n, Groups: n, Method: Student}, nil
}

// between is the interval whose two ends are the lower bounds of the mean and of its negative, each at half of what is left
// of the level.
func (s sample) between(level float64) (Interval, error) {
	if !(level > 0 && level < 1) {
		return Interval{}, fmt.Errorf("confidence level %v is not between 0 and 1", level)
	}
	groups := len(s.groups())
	if len(s.values) < MinItems || groups < len(s.values) && groups < MinClusters {
		return Interval{}, ErrFew
	}
	half := math.Log((1 - level) / 2)
	low := s.lower(half)
	down := sample{values: make([]float64, len(s.values)), clusters: s.clusters, lo: -s.hi, hi: -s.lo}
	for i, v := range s.values {
		down.values[i] = -v
	}
	return Interval{Mean: low.mean, Low: low.lcb, High: -down.lower(half).lcb, N: len(s.values), Groups: groups, Method: low.method}, nil
}
