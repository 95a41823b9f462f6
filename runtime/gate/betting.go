package gate

import "math"

// betCap bounds the stakes: none puts more than this part of the wealth at risk.
const betCap = 0.9

// bet returns a lower confidence bound of the mean of independent figures x in [lo, hi], at level exp(−need), by
// betting (Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", 2020).
//
// For each hypothetical mean m a gambler starts with wealth 1 and stakes a part λ_t of it on x_t being above m:
//
//	K_t(m) = Π_{i≤t} (1 + λ_i·(x_i − m))
//
// λ_t is fixed before x_t is seen, so if the true mean is at most m the wealth is a non-negative supermartingale, and
// by Ville's inequality it ever reaches 1/α with probability at most α. That is exact for every distribution on the
// interval and every α, where the normal bound is an approximation that fails first in the deep tails. The bound is
// the largest m at which 1/α was reached; it is above 0 exactly when the hypothesis "not better" is refuted.
//
// Stakes: with figures scaled to [0, 1], the running variance σ̂² and mean start from half an observation's worth
// (¼ and ½), and
//
//	λ_t = min(0.9/m₀, √(2·ln(1/(α·K_{t−1}(m₀))) / ((n−t+1)·σ̂²_{t−1})))
//
// m₀ is where x = 0 falls. This is the paper's predictable plug-in for a fixed n, with what is still to be won and how
// many rounds are left in place of the whole and n, which also is known before x_t. The same stakes serve all m, so
// K_t(m) falls in m and one bisection finds the bound. The order of x must be fixed without a look at x. Once 1/α is
// reached at m₀ the gambler goes on as if one nat were still to be won, which raises the bound.
func bet(x []float64, need, lo, hi float64) float64 {
	width := hi - lo
	zero := -lo / width
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = (v - lo) / width
	}
	stakes := stake(y, need, zero)
	reached := func(m float64) bool {
		wealth := 0.0
		for i, v := range y {
			wealth += math.Log1p(stakes[i] * (v - m))
			if wealth >= need {
				return true
			}
		}
		return false
	}
	below, above := 0.0, min(1, zero/betCap) // no stake may lose more than all at any m below
	if !reached(below) {
		return lo
	}
	for range 60 {
		if m := (below + above) / 2; reached(m) {
			below = m
		} else {
			above = m
		}
	}
	return lo + below*width
}

// stake returns λ_t for t = 1…n.
func stake(y []float64, need, zero float64) []float64 {
	n := float64(len(y))
	out := make([]float64, len(y))
	sum, squares, wealth := 0.5, 0.25, 0.0
	for i, v := range y {
		t := float64(i) + 1
		variance := squares / t
		left := max(need-wealth, 1)
		out[i] = min(betCap/zero, math.Sqrt(2*left/((n-t+1)*variance)))
		wealth += math.Log1p(out[i] * (v - zero))
		sum += v
		m := sum / (t + 1)
		squares += (v - m) * (v - m)
	}
	return out
}
