package plan

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestChainOfMoves: who renames twice keeps both blocks, in any order, and a state that saw neither follows both.
func TestChainOfMoves(t *testing.T) {
	t.Parallel()
	m := newMemory()
	m.run(t, plans(t, configured(t), m), 0)
	cfg := configured(t, `filter "t" "f" {}`, "moved {\n from = filter.t.g\n to = filter.t.h\n}\nmoved {\n from = filter.t.f\n to = filter.t.g\n}\nfilter \"t\" \"h\" {}", "[filter.t.f]", "[filter.t.h]")
	p := plans(t, cfg, m)
	if d := cmp.Diff([]Rename{{"filter.t.f", "filter.t.h"}}, p.Moves); d != "" {
		t.Error(d)
	}
	if got := ops(p)["filter.t.h"]; p.Summary.Move != 2 || got != "" && got[:4] != "move" {
		t.Errorf("%+v, %q", p.Summary, got)
	}
}
