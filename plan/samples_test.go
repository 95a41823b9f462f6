package plan

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jupiter/plan/config"
)

func templates(weights ...float64) (ts []*config.Template) {
	for _, w := range weights {
		ts = append(ts, &config.Template{Bucket: "synthetic", Weight: w})
	}
	return ts
}

func TestSamples(t *testing.T) {
	t.Parallel()
	third := 1.0 / 3
	for _, tc := range []struct {
		name    string
		weights []float64
		n       uint64
		want    []uint64
	}{
		{"one", []float64{1}, 7, []uint64{7}},
		{"none asked for", []float64{0.5, 0.5}, 0, []uint64{0, 0}},
		{"exact", []float64{0.75, 0.25}, 100, []uint64{75, 25}},
		{"a tie goes to the earlier", []float64{0.5, 0.5}, 3, []uint64{2, 1}},
		{"thirds", []float64{third, third, third}, 100, []uint64{34, 33, 33}},
		{"largest remainder", []float64{0.1, 0.2, 0.7}, 4, []uint64{0, 1, 3}},
		{"fewer than templates", []float64{third, third, third}, 1, []uint64{1, 0, 0}},
	} {
		if d := cmp.Diff(tc.want, Samples(templates(tc.weights...), map[string]float64{"synthetic": 1}, tc.n)); d != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, d)
		}
	}

	// A template whose bucket has no share is asked for nothing, and the others share what it would have had.
	ts := templates(0.5, 0.25, 0.25)
	ts[0].Bucket = "unused"
	if d := cmp.Diff([]uint64{0, 5, 5}, Samples(ts, map[string]float64{"synthetic": 0.65, "unused": 0}, 10)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]uint64{0, 0, 0}, Samples(ts, nil, 10)); d != "" {
		t.Error(d)
	}
}

// TestSamplesSum: the counts sum to what was asked for, and none is off its exact share by one or more.
func TestSamplesSum(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		weights := make([]float64, 1+rng.IntN(12))
		var sum float64
		for i := range weights {
			weights[i] = 0.01 + rng.Float64()
			sum += weights[i]
		}
		n := rng.Uint64N(5000)
		var total uint64
		for i, c := range Samples(templates(weights...), map[string]float64{"synthetic": 1}, n) {
			total += c
			if exact := float64(n) * weights[i] / sum; float64(c) <= exact-1 || float64(c) >= exact+1 {
				t.Fatalf("%v of %d: template %d gets %d, its share is %g", weights, n, i, c, exact)
			}
		}
		if total != n {
			t.Fatalf("%v: %d of %d samples", weights, total, n)
		}
	}
}
