package questions

import (
	"cmp"
	"math"
	"slices"
	"strconv"
)

// HeldOut chooses the documents whose items are for validation, by a hash of their names: a document stays where it is when
// others come. Of several documents at least one is held out, unless the share is 0.
func HeldOut(names []string, share float64, seed uint64) map[string]bool {
	s := strconv.FormatUint(seed, 10)
	at := func(name string) float64 { return float64(hash("held out", s, name)) / math.MaxUint64 }
	held := map[string]bool{}
	for _, n := range names {
		if at(n) < share {
			held[n] = true
		}
	}
	if len(held) == 0 && share > 0 && len(names) > 1 {
		held[slices.MinFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(at(a), at(b)), cmp.Compare(a, b)) })] = true
	}
	return held
}

// ForDev says whether an item is for dev, and not for the gate pool. It hangs on the item alone, so that it stays where it is
// when others come or go.
func ForDev(id string, share float64, seed uint64) bool {
	return float64(hash("dev", strconv.FormatUint(seed, 10), id))/math.MaxUint64 < share
}
