package gate

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestMeans(t *testing.T) {
	t.Parallel()
	w := Weights{Accuracy: 0.4, Coherence: 0.3, Domain: 0.3}
	full := func(a, c, d float64) Components { return Components{Accuracy: &a, Coherence: &c, Domain: &d} }
	without := full(1, 0.5, 0)
	without.Domain = nil
	for _, tc := range []struct {
		name  string
		items []Components
		want  Scores
	}{
		{"all there", []Components{full(1, 0.5, 0.5), full(0, 0.5, -1.0/3)}, Scores{new(0.5), new(0.5), new(1.0 / 12), new(0.2 + 0.15 + 0.025)}},
		{"one without domain", []Components{full(0, 0, 1), without}, Scores{new(0.5), new(0.25), new(1.0), new((0.3 + 0.55/0.7) / 2)}},
		{"one without anything", []Components{full(1, 1, 1), {}}, Scores{new(1.0), new(1.0), new(1.0), nil}},
		{"out of range", []Components{full(2, 1, 1)}, Scores{new(2.0), new(1.0), new(1.0), nil}},
		{"no items", nil, Scores{}},
	} {
		if d := cmp.Diff(tc.want, Means(tc.items, w), cmpopts.EquateApprox(0, 1e-12)); d != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, d)
		}
	}
}
