package plan

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jupiter/plan/config"
	"jupiter/state"
)

// decisions makes a history of verdicts, one a cycle of ten steps.
func decisions(verdicts ...string) (f Facts) {
	f.Current = 1
	f.Generators = []state.Generator{{Version: 1, Base: true}}
	for i, v := range verdicts {
		n := uint64(i) + 1
		d := state.Decision{Epoch: n, Step: 10 * n, Verdict: v, IncumbentVersion: f.Current, StartCheckpoint: f.Start(), Checkpoint: digest("checkpoint " + string('0'+byte(n))),
			Inputs: map[string]string{"pool": "pool " + string('0'+byte(n))}}
		if v == state.Promote {
			d.Promoted = uint64(len(f.Generators)) + 1
			f.Generators = append(f.Generators, state.Generator{Version: d.Promoted, Epoch: n, Step: d.Step})
			f.Current = d.Promoted
		}
		f.Decisions = append(f.Decisions, d)
	}
	return f
}

// with changes the last decision.
func (f Facts) with(change func(*state.Decision)) Facts {
	change(&f.Decisions[len(f.Decisions)-1])
	return f
}

// and appends a manual act, now.
func (f Facts) and(e state.Event) Facts {
	e.Epoch = uint64(len(f.Decisions))
	f.Events = append(f.Events, e)
	return f
}

func TestEnd(t *testing.T) {
	t.Parallel()
	const p, h, r = state.Promote, state.Hold, state.Reject
	back := state.Event{Act: "rollback", From: 2, To: 1}
	cfg := configured(t).Cycles[0]
	with := func(change func(*config.Cycle)) *config.Cycle {
		c := *cfg
		change(&c)
		return &c
	}
	patient := with(func(c *config.Cycle) { c.Patience = 2 })
	halted := func(d *state.Decision) { d.Halted = true }
	here := func(d *state.Decision) {
		d.Halted, d.Inputs = true, map[string]string{"configuration": CycleDigest(cfg)}
	}
	resume := state.Event{Act: "resume"}
	for _, tc := range []struct {
		name string
		c    *config.Cycle
		f    Facts
		want Terminal
		why  string
	}{
		{"nothing yet", cfg, Facts{}, Running, ""},
		{"one cycle", cfg, decisions(h), Running, ""},
		{"steps used up", cfg, decisions(h, h, h, h), Done, "max_steps = 40 reached"},
		{"a window does not fit", with(func(c *config.Cycle) { c.EvalEverySteps = 15 }), decisions(h, h, h), Done, "max_steps = 40"},
		{"more steps", with(func(c *config.Cycle) { s := *c.Trainer; s.MaxSteps = 50; c.Trainer = &s }), decisions(h, h, h, h), Running, ""},
		{"max_cycles", with(func(c *config.Cycle) { c.MaxCycles = 2 }), decisions(p, h), Done, "max_cycles = 2 reached"},
		{"max_cycles not yet", with(func(c *config.Cycle) { c.MaxCycles = 3 }), decisions(p, h), Running, ""},
		{"patience", patient, decisions(p, h, r), Converged, "no promotion in the last 2 cycles"},
		{"patience, one of two", patient, decisions(h, p, h), Running, ""},
		{"patience counts from the first step that could promote", patient, decisions(h, h).with(func(d *state.Decision) { d.Early = true }), Running, ""},
		{"patience, released", patient, decisions(p, h, r).and(resume), Running, ""},
		{"patience, released before", patient, Facts{}.joined(decisions(p, h).and(resume), h), Converged, ""},
		{"pending", cfg, decisions(p).with(func(d *state.Decision) { d.Pending = true }), Pending, "jupiter approve, or jupiter reject"},
		{"halted", cfg, decisions(h, r).with(halted), Halted, "jupiter resume --ack"},
		{"halted under this configuration", cfg, decisions(r).with(here), Halted, "epoch 1"},
		{"halted, the configuration changed", with(func(c *config.Cycle) { c.Alpha /= 2 }), decisions(r).with(here), Running, ""},
		{"halted, only patience changed", with(func(c *config.Cycle) { c.Patience = 9 }), decisions(r).with(here), Halted, ""},
		{"halted and released", cfg, decisions(r).with(halted).and(resume), Running, ""},
		{"halted after an earlier release", cfg, Facts{}.joined(decisions(r).with(halted).and(resume), r).with(halted), Halted, ""},
		{"halted at the end", cfg, decisions(h, h, h, r).with(halted), Halted, ""},
		{"ceiling", cfg, decisions(state.Ceiling), Ceiling, "no score could reach the threshold"},
		{"ceiling, released", cfg, decisions(state.Ceiling).and(resume), Running, ""},
		{"ceiling, another generator since", cfg, decisions(p, state.Ceiling).and(back), Running, ""},
		{"ceiling, pinned where it is", cfg, decisions(p, state.Ceiling).and(state.Event{Act: "pin", From: 2, To: 2}), Ceiling, ""},
		{"ceiling of the generator since", cfg, Facts{}.joined(decisions(p, h).and(back), state.Ceiling), Ceiling, ""},
		{"patience, another generator since", patient, decisions(p, h, r).and(back), Running, ""},
		{"patience counts from another generator", patient, Facts{}.joined(decisions(p, h).and(back), h), Running, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, why := tc.f.End(tc.c)
			if got != tc.want || !strings.Contains(why, tc.why) || (got == Running) != (why == "") {
				t.Errorf("%q because %q, want %q because %q", got, why, tc.want, tc.why)
			}
		})
	}
}

// joined is f with one more decision.
func (Facts) joined(f Facts, verdict string) Facts {
	n := uint64(len(f.Decisions)) + 1
	f.Decisions = append(f.Decisions, state.Decision{Epoch: n, Step: 10 * n, Verdict: verdict})
	return f
}

// TestRollback: what the next turn starts from after a rollback, and that an act before the last decision has no say.
func TestRollback(t *testing.T) {
	t.Parallel()
	const p, h = state.Promote, state.Hold
	back := state.Event{Act: "rollback", From: 2, To: 1, Checkpoint: digest("old")}
	kept := back
	kept.KeepStudent = true
	fresh := back
	fresh.Checkpoint = ""
	for _, tc := range []struct {
		name string
		f    Facts
		want string
	}{
		{"none", decisions(p), digest("checkpoint 1")},
		{"rolled back", decisions(p).and(back), digest("old")},
		{"to a fresh start", decisions(p).and(fresh), ""},
		{"keeping the student", decisions(p).and(kept), digest("checkpoint 1")},
		{"twice, keeping it where the first one set it", decisions(p).and(back).and(kept), digest("old")},
		{"twice, the later counts", decisions(p).and(back).and(fresh), ""},
		{"before the last decision", Facts{}.joined(decisions(p).and(back), h).with(func(d *state.Decision) { d.Checkpoint = digest("new") }), digest("new")},
		{"another act since", decisions(p).and(back).and(state.Event{Act: "resume"}), digest("old")},
		{"nothing decided", Facts{}, ""},
	} {
		if got := tc.f.Start(); got != tc.want {
			t.Errorf("%s: the next window starts from %q, want %q", tc.name, got, tc.want)
		}
	}

	f := decisions(p, p)
	f.Generators[2].Withdrawn = true
	if d := cmp.Diff([]uint64{3}, f.Withdrawn()); d != "" {
		t.Error(d)
	}
	if f.Pool() != "pool 2" || f.Epoch() != 3 || f.Step() != 20 || f.Generator().Version != 3 {
		t.Errorf("pool %q, epoch %d, step %d", f.Pool(), f.Epoch(), f.Step())
	}
	if (Facts{}).Generator() != nil {
		t.Error("a cycle without a generator has one")
	}
}

// TestBehind: which decisions a student has behind it.
func TestBehind(t *testing.T) {
	t.Parallel()
	const p, h = state.Promote, state.Hold
	to := func(v uint64, keep bool) state.Event { return state.Event{Act: "rollback", To: v, KeepStudent: keep} }
	again := decisions(h, p, p).and(to(2, false))
	again = Facts{}.joined(again, h)
	for _, tc := range []struct {
		name string
		f    Facts
		want []uint64
	}{
		{"no rollback", decisions(h, p, h), []uint64{1, 2, 3}},
		{"over the last promotion and what followed", decisions(h, p, p, h).and(to(2, false)), []uint64{1, 2}},
		{"over all promotions", decisions(h, p, p, h).and(to(1, false)), []uint64{1}},
		{"keeping the student", decisions(h, p, p, h).and(to(1, true)), []uint64{1, 2, 3, 4}},
		{"what came after it counts", again, []uint64{1, 2, 4}},
		{"twice", again.and(to(1, false)), []uint64{1}},
		{"none", Facts{}, nil},
	} {
		var got []uint64
		for _, d := range tc.f.Behind() {
			got = append(got, d.Epoch)
		}
		if d := cmp.Diff(tc.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, d)
		}
	}
}

// TestRolledBackPlan: after a rollback generation, pool and training are stale; once the steps are used up the plan is
// empty and says what would be needed.
func TestRolledBackPlan(t *testing.T) {
	t.Parallel()
	cfg, m := configured(t), newMemory()
	turn(t, m, plans(t, cfg, m), state.Promote)
	turn(t, m, plans(t, cfg, m), state.Promote)
	m.facts.Current = 2
	m.facts.Generators[2].Withdrawn = true
	m.facts = m.facts.and(state.Event{Act: "rollback", From: 3, To: 2, Checkpoint: m.facts.Decisions[1].StartCheckpoint})
	p := plans(t, cfg, m)
	var pool, train *Action
	for _, a := range p.Cycles[0].Actions {
		switch a.Kind {
		case Pool:
			pool = a
		case Train:
			train = a
		}
	}
	parts := pool.Identify(nil).Parts
	if parts["withdrawn"] != "[3]" {
		t.Errorf("the pool does not leave out version 3: %v", parts)
	}
	inputs, _ := train.Resolve(nil)
	if inputs["start"] != m.facts.Decisions[0].Checkpoint || train.Window.Start != 20 {
		t.Errorf("training starts at step %d from %q, want 20 from %q", train.Window.Start, inputs["start"], m.facts.Decisions[0].Checkpoint)
	}
	if got := ops(p); !strings.HasPrefix(got["self_improvement.c.pool"], "rerun") || got["domain.d.template.a"] != "" {
		t.Errorf("version 2 has generated before, the pool has not been without version 3: %v", got)
	}

	for end, edits := range map[string][]string{
		"raise max_steps of trainer.t.student to 30":  {"max_steps        = 40", "max_steps = 20"},
		"raise max_cycles of self_improvement.c to 3": {"benchmark_samples        = 700", "benchmark_samples = 700\n max_cycles = 2"},
	} {
		over := plans(t, configured(t, edits...), m)
		if c := over.Cycles[0]; !over.Empty() || c.Terminal != Done || len(c.Notes) != 2 || !strings.Contains(c.Notes[0], "since a rollback") || !strings.Contains(c.Notes[1], "generator_v2 is in use again") || !strings.Contains(c.Notes[1], end) {
			t.Errorf("at the end of the steps: %+v", c)
		}
	}
}
