package plan

import (
	"testing"

	"jupiter/plan/addr"
)

// TestExplain: each part of an identity has its value, its effect and its place; an input that is not there yet says where
// it comes from; and the ID is the action's.
func TestExplain(t *testing.T) {
	t.Parallel()
	m := newMemory()
	cfg := configured(t, "level            = 1", "level = 1\n threads = 9\n more = 2")
	p := plans(t, cfg, m)
	part := func(e *Explanation, name string) ExplainedPart {
		t.Helper()
		for _, p := range e.Parts {
			if p.Name == name {
				return p
			}
		}
		t.Fatalf("%s has no part %s", e.Address, name)
		return ExplainedPart{}
	}
	e := Explain(p, m, "trainer.t.student")
	for name, effect := range map[string]string{"config.level": "rerun", "config.more": "advance", "config.threads": "none"} {
		if got := part(e, name); got.Effect != effect || got.Value == nil || got.Was != nil || got.File == "" || got.Line == 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if in := part(e, "input.dataset"); in.Value != nil || in.From != "self_improvement.c.mix" || e.ID != "" || e.Seed != nil {
		t.Errorf("an input that is not there yet: %+v, ID %q", in, e.ID)
	}

	all := ids(t, p, m) // records every action
	p = plans(t, cfg, m)
	e = Explain(p, m, "trainer.t.student")
	if id := all["trainer.t.student"]; e.Op != NoOp || e.ID != id.ID || e.Lineage != id.Lineage || e.Seed == nil || *e.Seed != id.Seed {
		t.Errorf("recorded: %+v, want %+v", e, id)
	}
	if got := part(e, "config.level"); got.Was == nil || *got.Was != *got.Value {
		t.Errorf("a recorded part: %+v", got)
	}
	changed := configured(t, "level            = 1", "level = 7")
	e = Explain(plans(t, changed, m), m, "trainer.t.student")
	if got := part(e, "config.level"); *got.Was != "1" || *got.Value != "7" {
		t.Errorf("a changed part: was %s, is %s", *got.Was, *got.Value)
	}
	if got := part(e, "config.more"); got.Value != nil || *got.Was != "2" {
		t.Errorf("a part that is gone: %+v", got)
	}
	gone := plans(t, configured(t, "filter \"t\" \"f\"", "filter \"t\" \"g\"", "[filter.t.f]", "[filter.t.g]"), m)
	if e := Explain(gone, m, "filter.t.f"); e.Op != Destroy || e.Title != "no longer configured" || len(e.Parts) == 0 {
		t.Errorf("what is forgotten: %+v", e)
	}
	moved := plans(t, configured(t, "filter \"t\" \"f\" {}", "moved {\n from = filter.t.f\n to = filter.t.g\n}\nfilter \"t\" \"g\" {\n level = 3\n}", "[filter.t.f]", "[filter.t.g]"), m)
	e = Explain(moved, m, "filter.t.g")
	if got := part(e, "config.level"); e.Op != Rerun || got.Was != nil || *got.Value != "3" || part(e, "type").Was == nil {
		t.Errorf("what has moved, and differs: %+v", e)
	}
	if e := Explain(p, m, addr.Address("trainer.t.other")); e != nil {
		t.Errorf("nothing is there, and it was explained: %+v", e)
	}
}
