package gate

import (
	"fmt"
	"math"
)

// Look is what the ledger says of this opening of the gate pool. Neither number goes back: not after a promotion, a
// rollback, a restart, nor with a new version of the pool.
type Look struct {
	K          uint64 `json:"k"`          // openings for this cycle address, this one included; from 1
	Promotions uint64 `json:"promotions"` // PROMOTE verdicts among the K−1 before it, approved or not
}

// Alpha returns what look k may spend after m promotions, of alpha for all looks together:
//
//	α(k, m) = α · 6/(π²k²) · 2^−(m+1) / C(k−1, m)
//
// The sum over all k, m and the C(k−1, m) orders of m promotions among k−1 looks is at most α, because Σ 6/(π²k²) = 1
// and Σ 2^−(m+1) < 1 (it is 0.65 α, as m ends at k−1). It is computed in logarithms, and underflows to 0 only below 1e-308. An error when k is 0, when
// m > k−1, or when alpha is not in (0, 1).
func Alpha(k, m uint64, alpha float64) (float64, error) {
	l, err := logAlpha(Look{k, m}, alpha)
	return math.Exp(l), err
}

func logAlpha(l Look, alpha float64) (float64, error) {
	if !(alpha > 0 && alpha < 1) {
		return math.Inf(-1), fmt.Errorf("alpha is %v, and must lie between 0 and 1", alpha)
	}
	if l.K == 0 || l.Promotions > l.K-1 {
		return math.Inf(-1), fmt.Errorf("look %d after %d promotions cannot be", l.K, l.Promotions)
	}
	k, m := float64(l.K), float64(l.Promotions)
	return math.Log(alpha) + math.Log(6/(math.Pi*math.Pi)) - 2*math.Log(k) - (m+1)*math.Ln2 - logChoose(k-1, m), nil
}

// logChoose returns ln C(n, m), m ≤ n.
func logChoose(n, m float64) float64 {
	lg := func(x float64) float64 { v, _ := math.Lgamma(x + 1); return v }
	return lg(n) - lg(m) - lg(n-m)
}
