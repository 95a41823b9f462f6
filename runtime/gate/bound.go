package gate

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

const (
	// MinItems is the least number of items that a decision may rest on.
	MinItems = 100
	// MinClusters is the least number of clusters, where items share templates or passages: below, the clustered
	// standard error is biased down (Cameron and Miller, 2015).
	MinClusters = 30
	// deepTail is the normal quantile beyond which a normal bound is not trusted: at 500 items a skewed difference
	// can be out by half or more in the probability of such a tail.
	deepTail = 4
)

// Method is how a lower confidence bound was computed.
type Method string

// The methods: the normal bound, Student's t over clusters, and betting for deep tails.
const (
	Normal  Method = "normal"
	Cluster Method = "clustered t"
	Betting Method = "betting"
	Student Method = "t" // over runs
)

// bound is the estimate of the mean of paired figures, and its one-sided lower confidence bound.
type bound struct {
	mean, se float64
	lcb      float64
	quantile float64 // of the normal or t distribution
	method   Method
	lo       float64 // the least value there can be
	items    int
	clusters int // items, when none share a cluster
}

// sample is paired figures with what the bound must know of them.
type sample struct {
	values   []float64 // in an order that does not depend on them
	clusters []string  // of each value; empty: on its own
	lo, hi   float64   // every value lies in [lo, hi]
}

// lower computes the lower confidence bound of the mean at exp(logAlpha).
//
// The standard error is that of the mean of independent items, or the cluster-robust one with the small-sample factor
// G/(G−1) and t with G−1 degrees of freedom when items share clusters. Where the normal quantile lies beyond deepTail
// the bound is that of a betting martingale, which holds for any distribution on [lo, hi] at any level.
func (s sample) lower(logAlpha float64) bound {
	groups := s.groups()
	b := bound{mean: mean(s.values), lo: s.lo, items: len(s.values), clusters: len(groups), method: Normal}
	b.se = s.standardError(groups, b.mean)
	alpha := math.Exp(logAlpha)
	b.quantile = math.Inf(1)
	if alpha > 0 {
		b.quantile = -distuv.UnitNormal.Quantile(alpha)
	}
	if b.quantile > deepTail {
		b.method = Betting
		units, scale := s.units(groups)
		b.lcb = scale * bet(units, -logAlpha, s.lo, s.hi)
		return b
	}
	if len(groups) < len(s.values) {
		b.method = Cluster
		b.quantile = -distuv.StudentsT{Sigma: 1, Nu: float64(len(groups) - 1)}.Quantile(alpha)
	}
	b.lcb = b.mean - b.quantile*b.se
	return b
}

// groups returns the clusters as lists of indices, in the order of their first items.
func (s sample) groups() [][]int {
	by := map[string]int{}
	var out [][]int
	for i, name := range s.clusters {
		g, ok := by[name]
		if !ok || name == "" {
			g = len(out)
			by[name] = g
			out = append(out, nil)
		}
		out[g] = append(out[g], i)
	}
	return out
}

// standardError of the mean: √(G/(G−1) · Σ_g (Σ_{i∈g} (x_i − x̄))²) / n. With one item a group it is s/√n.
func (s sample) standardError(groups [][]int, m float64) float64 {
	g := float64(len(groups))
	if g < 2 {
		return math.Inf(1)
	}
	sum := 0.0
	for _, group := range groups {
		dev := 0.0
		for _, i := range group {
			dev += s.values[i] - m
		}
		sum += dev * dev
	}
	return math.Sqrt(g/(g-1)*sum) / float64(len(s.values))
}

// units returns one independent figure a group: its sum over the size of the largest group, which lies in [lo, hi] too
// when that holds 0. scale turns the mean of the figures into the mean over items.
func (s sample) units(groups [][]int) (units []float64, scale float64) {
	largest := 0
	for _, g := range groups {
		largest = max(largest, len(g))
	}
	units = make([]float64, len(groups))
	for j, g := range groups {
		for _, i := range g {
			units[j] += s.values[i]
		}
		units[j] /= float64(largest)
	}
	return units, float64(len(groups)*largest) / float64(len(s.values))
}

// needed returns about how many items would put the lower bound of the same mean above a margin at this level, or 0
// where no number would. In the deep tails it is what the betting's log-wealth needs to grow at its mean rate,
// λδ − λ²σ²/2 an item, where δ is the gain, σ the deviation of an item and λ the best stake below the cap.
func (b bound) needed(margin, logAlpha float64) uint64 {
	gain := b.mean - margin
	if gain <= 0 || b.se == 0 || math.IsInf(b.se, 0) {
		return 0
	}
	variance := b.se * b.se * float64(b.items)
	n := math.Inf(1)
	if alpha := math.Exp(logAlpha); alpha > 0 {
		if z := -distuv.UnitNormal.Quantile(alpha); z <= deepTail {
			n = z * z * variance / (gain * gain)
		}
	}
	if math.IsInf(n, 1) {
		stake := min(gain/variance, betCap/(margin-b.lo))
		n = -logAlpha / (stake*gain - stake*stake*variance/2)
	}
	if n > math.MaxInt32 {
		return 0
	}
	return max(uint64(math.Ceil(n)), MinItems)
}
