package plan

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jupiter/plan/addr"
	"jupiter/plan/config"
	"jupiter/state"
)

func planFor(t *testing.T, cfg *config.Config, m *memory, o Options) *Plan {
	t.Helper()
	p, err := Make(t.Context(), cfg, m, probe{}, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func addresses(p *Plan) (all []string) {
	for _, c := range p.Changes {
		all = append(all, string(c.Address))
	}
	slices.Sort(all)
	return all
}

// TestNarrow: a target brings what it needs, an exclusion takes what needs it.
func TestNarrow(t *testing.T) {
	t.Parallel()
	cfg, m := configured(t), newMemory()
	m.run(t, plans(t, cfg, m), 0)
	m.decide(state.Hold)
	want := []string{"domain.d.benchmark", "domain.d.real", "domain.d.source.t.s", "domain.d.template.a", "domain.d.template.b", "filter.t.f", "self_improvement.c.verify"}
	if d := cmp.Diff(want, addresses(planFor(t, cfg, m, Options{Targets: []addr.Address{"filter.t.f"}}))); d != "" {
		t.Errorf("target (-want +got):\n%s", d)
	}
	got := addresses(planFor(t, cfg, m, Options{Excludes: []addr.Address{"filter.t.f"}}))
	if want := []string{"domain.d.benchmark", "domain.d.real", "domain.d.source.t.s", "domain.d.template.a", "domain.d.template.b", "self_improvement.c.verify"}; !slices.Equal(got, want) {
		t.Errorf("excluded: %v, want %v", got, want)
	}
	if got := addresses(planFor(t, cfg, m, Options{Targets: []addr.Address{"domain.d"}, Excludes: []addr.Address{"domain.d.template.a"}})); slices.Contains(got, "domain.d.template.a") || !slices.Contains(got, "domain.d.template.b") {
		t.Errorf("target and exclusion: %v", got)
	}
	if got := addresses(planFor(t, cfg, m, Options{RefreshOnly: true})); !slices.Equal(got, []string{"domain.d.source.t.s"}) {
		t.Errorf("refresh only: %v", got)
	}
	_, err := Make(t.Context(), cfg, m, probe{}, Options{Excludes: []addr.Address{"filter.t.g"}})
	var unknown *UnknownAddressError
	if !errors.As(err, &unknown) || unknown.Option != "--exclude" || !slices.Contains(unknown.Have, "filter.t.f") {
		t.Errorf("an address that is not there: %v", err)
	}
}

// TestKeepSources: with it a source that changed is not looked at, and one that was never collected is.
func TestKeepSources(t *testing.T) {
	t.Parallel()
	cfg, m := configured(t), newMemory()
	m.run(t, plans(t, cfg, m), 0)
	p, err := Make(t.Context(), cfg, m, probe{source: "other"}, Options{KeepSources: true})
	if err != nil || ops(p)["domain.d.source.t.s"] != "" {
		t.Errorf("%v, %v", ops(p), err)
	}
	if p = planWith(t, cfg, m, probe{source: "other"}); !strings.Contains(ops(p)["domain.d.source.t.s"], string(SourceChanged)) {
		t.Errorf("%v", ops(p))
	}
}

// TestReplace: what is asked for runs again, and what follows may run. A student begins anew.
func TestReplace(t *testing.T) {
	t.Parallel()
	cfg, m := configured(t), newMemory()
	m.run(t, plans(t, cfg, m), 0)
	got := ops(planFor(t, cfg, m, Options{Replace: []addr.Address{"filter.t.f"}}))
	if got["filter.t.f"] != "rerun asked:--replace" || !strings.HasPrefix(got["self_improvement.c.pool"], "rerun (may run)") || got["self_improvement.c.verify"] != "" {
		t.Errorf("%v", got)
	}
	m.decide(state.Hold)
	p := planFor(t, cfg, m, Options{Replace: []addr.Address{"trainer.t.student"}})
	for _, a := range p.Cycles[0].Actions {
		if a.Kind != Train {
			continue
		}
		if inputs, _ := a.Resolve(nil); inputs["start"] != "" || a.Window.Start != 10 || !a.Replace {
			t.Errorf("the student goes on from %q at step %d", inputs["start"], a.Window.Start)
		}
	}
	m.facts.Events = []state.Event{{Act: "restart", Epoch: 1}}
	if f := m.facts; f.Start() != "" || len(f.Behind()) != 0 {
		t.Errorf("after a restart: starts from %q with %d decisions behind it", f.Start(), len(f.Behind()))
	}
	m.decide(state.Hold)
	if f := m.facts; f.Start() == "" || len(f.Behind()) != 1 {
		t.Errorf("a window after a restart: starts from %q with %d decisions behind it", f.Start(), len(f.Behind()))
	}
}

// TestDestroy: every recorded address and each history, unless something is protected.
func TestDestroy(t *testing.T) {
	t.Parallel()
	cfg, m := configured(t), newMemory()
	m.run(t, plans(t, cfg, m), 0)
	p := planFor(t, cfg, m, Options{Destroy: true})
	if p.Summary.Destroy != len(m.last)+1 || len(p.Changes) != p.Summary.Destroy {
		t.Errorf("%d of %d addresses and a history: %+v", p.Summary.Destroy, len(m.last), p.Summary)
	}
	guarded := configured(t, "filter \"t\" \"f\" {}", "filter \"t\" \"f\" {\n lifecycle {\n prevent_destroy = true\n }\n}")
	_, err := Make(t.Context(), guarded, m, probe{}, Options{Destroy: true})
	var refused *RefusedError
	if !errors.As(err, &refused) || refused.Diags[0].Subject.Start.Line == 0 || !strings.Contains(refused.Diags[0].Detail, "filter.t.f") {
		t.Errorf("a protected filter: %v", err)
	}
}
