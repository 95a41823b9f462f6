package plan

import (
	"errors"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"jupiter/plan/addr"
	"jupiter/state"
)

// TestProtect: what a protected stage made is not made anew because its block changed. New data are no such change, and
// the windows that a student has trained are history.
func TestProtect(t *testing.T) {
	t.Parallel()
	const lifecycle = "\n lifecycle {\n prevent_destroy = true\n }\n"
	filter := func(body string) []string {
		return []string{"filter \"t\" \"f\" {}", "filter \"t\" \"f\" {\n" + body + lifecycle + "}"}
	}
	m := newMemory()
	m.run(t, plans(t, configured(t, filter("level = 1")...), m), 0)
	refused := func(edits []string, pr Probe, o Options) string {
		t.Helper()
		_, err := Make(t.Context(), configured(t, edits...), m, pr, o)
		var r *RefusedError
		if err != nil && !errors.As(err, &r) {
			t.Fatal(err)
		}
		if r == nil {
			return ""
		}
		return r.Diags[0].Detail
	}
	if got := refused(filter("level = 2"), probe{}, Options{}); !strings.Contains(got, "config.level at") {
		t.Errorf("another level: %q", got)
	}
	if got := refused(filter("level = 1\nthreads = 8"), probe{}, Options{}); got != "" {
		t.Errorf("an operational attribute: %q", got)
	}
	if got := refused(filter("level = 1"), probe{source: "new"}, Options{}); got != "" {
		t.Errorf("new data: %q", got)
	}
	if got := refused(filter("level = 1"), probe{}, Options{Replace: []addr.Address{"filter.t.f"}}); !strings.Contains(got, "replaces its result") {
		t.Errorf("--replace: %q", got)
	}

	student := func(level string) []string {
		return []string{"  level            = 1", "  level = " + level + lifecycle}
	}
	m = newMemory()
	p := plans(t, configured(t, student("1")...), m)
	m.run(t, p, 0)
	m.decide(state.Hold)
	if got := refused(student("2"), probe{}, Options{}); got != "" {
		t.Errorf("a window that is not begun: %q", got)
	}
	m.partials["begun"] = &state.Partial{Lineage: "begun", Address: "trainer.t.student"}
	if got := refused(student("2"), probe{}, Options{}); !strings.Contains(got, "config.level at") {
		t.Errorf("progress would be given up: %q", got)
	}
}

// TestIgnoreChanges: an attribute that is named keeps its recorded value, in the plan and in what a plugin is told.
func TestIgnoreChanges(t *testing.T) {
	t.Parallel()
	filter := func(body string) []string {
		return []string{"filter \"t\" \"f\" {}", "filter \"t\" \"f\" {\n" + body + "\n lifecycle {\n ignore_changes = [level]\n }\n}"}
	}
	m := newMemory()
	cfg := configured(t, filter("level = 1")...)
	first := plans(t, cfg, m)
	if v := cfg.Cycles[0].Filters[0].Body.Value.GetAttr("level"); !v.RawEquals(cty.NumberIntVal(1)) {
		t.Errorf("nothing is recorded, and level is %#v", v)
	}
	m.run(t, first, 0)
	for _, body := range []string{"level = 2", ""} {
		cfg := configured(t, filter(body)...)
		if got := ops(plans(t, cfg, m)); got["filter.t.f"] != "" {
			t.Errorf("%q: %v", body, got)
		}
		if v := cfg.Cycles[0].Filters[0].Body.Value.GetAttr("level"); !v.RawEquals(cty.NumberIntVal(1)) {
			t.Errorf("%q: a plugin would be told level = %#v", body, v)
		}
	}
	if got := ops(plans(t, configured(t, filter("level = 2\nmore = 3")...), m)); !strings.Contains(got["filter.t.f"], "config.more") || strings.Contains(got["filter.t.f"], "config.level") {
		t.Errorf("another attribute: %v", got)
	}

	// The parts that a turn runs within other lines.
	for kind, edit := range map[string][]string{
		"exporter":  {"exporter \"t\" \"e\" {}", "exporter \"t\" \"e\" {\n level = 1\n lifecycle {\n ignore_changes = [level]\n }\n}"},
		"evaluator": {"evaluator \"t\" \"p\" {}", "evaluator \"t\" \"p\" {\n level = 1\n lifecycle {\n ignore_changes = [level]\n }\n}"},
		"verifier":  {"verifier \"t\" \"v\" {}", "verifier \"t\" \"v\" {\n level = 1\n lifecycle {\n ignore_changes = [level]\n }\n}"},
		"generator": {"  samples = 100", "  samples = 100\n level = 1\n lifecycle {\n ignore_changes = [level]\n }\n"},
		"trainer":   {"  level            = 1", "  level = 1\n seed = 4\n lifecycle {\n ignore_changes = [level, \"seed\"]\n }\n"},
	} {
		m := newMemory()
		m.run(t, plans(t, configured(t, edit...), m), 0)
		changed := []string{edit[0], strings.NewReplacer("level = 1", "level = 2", "seed = 4", "seed = 5").Replace(edit[1])}
		if p := plans(t, configured(t, changed...), m); p.Summary.Rerun+p.Summary.Advance > 0 {
			t.Errorf("%s: %v", kind, ops(p))
		}
	}
}

// TestDependsOn: the order is as asked, nothing else changes, and a circle is refused with its place.
func TestDependsOn(t *testing.T) {
	t.Parallel()
	ordered := configured(t, "  samples = 100", "  samples = 100\n  depends_on = [trainer.t.base]\n")
	p := plans(t, ordered, newMemory())
	at := map[string]int{}
	for i, a := range p.Cycles[0].Actions {
		at[string(a.Address)] = i
		if a.Address == "domain.d.template.a" && len(a.After) == 0 {
			t.Error("the template waits for nothing")
		}
	}
	if at["domain.d.template.a"] < at["trainer.t.base.select[2]"] {
		t.Errorf("order %v", at)
	}

	_, err := Make(t.Context(), configured(t, "filter \"t\" \"f\" {}", "filter \"t\" \"f\" {\n depends_on = [trainer.t.student]\n}"), newMemory(), probe{}, Options{})
	var refused *RefusedError
	if !errors.As(err, &refused) || !strings.Contains(refused.Diags[0].Detail, "→") || refused.Diags[0].Subject.Start.Line == 0 {
		t.Errorf("a circle: %v", err)
	}
}

// TestStart: a student's first window starts from another trainer's choice, which may be its generator's.
func TestStart(t *testing.T) {
	t.Parallel()
	p := plans(t, configured(t, "  level            = 1", "  level = 1\n  start = trainer.t.base"), newMemory())
	n := 0
	for _, a := range p.Cycles[0].Actions {
		if a.Stage != nil && a.Stage.Name == "base" && a.Kind == Train {
			n++
		}
		if a.Address != "trainer.t.student" {
			continue
		}
		from := ""
		for _, in := range a.Inputs {
			if in.Name == "start" {
				from = string(in.From.Address)
			}
		}
		if from != "trainer.t.base.select[2]" {
			t.Errorf("the student starts from %q", from)
		}
	}
	if n != 2 {
		t.Errorf("the base trains %d windows, want 2: it is one run for both uses", n)
	}
	other := plans(t, configured(t, "  level            = 1", "  level = 1\n  start = trainer.t.other\n", "trainer \"t\" \"student\" {", "trainer \"t\" \"other\" {\n dataset = domain.d.real\n max_steps = 10\n}\ntrainer \"t\" \"student\" {"), newMemory())
	if !strings.HasPrefix(ops(other)["trainer.t.other[1]"], "create") {
		t.Errorf("another trainer: %v", ops(other))
	}
}

// TestMoved: what is recorded under the old name is found under the new one, stage, module and cycle, and only what is
// nobody's is left over.
func TestMoved(t *testing.T) {
	t.Parallel()
	m := newMemory()
	m.run(t, plans(t, configured(t), m), 0)
	m.decide(state.Hold)
	rename := []string{"filter \"t\" \"f\" {}", "filter \"t\" \"g\" {}\n", "[filter.t.f]\n", "[filter.t.g]\n"}
	p := plans(t, configured(t, rename...), m)
	if got := ops(p); got["filter.t.f"] != "destroy not-configured:filter.t.f" || !strings.HasPrefix(got["filter.t.g"], "create") && got["filter.t.g"] != "" {
		t.Errorf("without a moved block: %v", got)
	}
	// A chain: f was called e once, and is g now.
	rename[1] += "moved {\n from = filter.t.e\n to = filter.t.g\n}\nmoved {\n from = filter.t.f\n to = filter.t.g\n}\n"
	p = plans(t, configured(t, rename...), m)
	if got := ops(p); got["filter.t.f"] != "" || got["filter.t.g"] != "move renamed:moved" || len(p.Moves) != 1 || p.Moves[0] != (Rename{"filter.t.f", "filter.t.g"}) {
		t.Errorf("with one: %v, %v", got, p.Moves)
	}

	cycle := []string{"self_improvement \"c\" {", "moved {\n from = self_improvement.c\n to = self_improvement.n\n}\nself_improvement \"n\" {"}
	p = plans(t, configured(t, cycle...), m)
	if c := p.Cycles[0]; c.Epoch != 2 || c.Generator != 1 || len(p.Notes) != 0 || p.Summary.Move != 1 || p.Summary.Destroy != 0 {
		t.Errorf("a cycle: %+v, %v, %+v", c, p.Notes, p.Summary)
	}
	p = plans(t, configured(t, cycle[0], "self_improvement \"n\" {"), m)
	if p.Cycles[0].Epoch != 1 || len(p.Notes) != 1 || !strings.Contains(p.Notes[0], "Its history stays") {
		t.Errorf("a cycle without a moved block: %+v, %v", p.Cycles[0], p.Notes)
	}
}
