package plan

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jupiter/plan/addr"
	"jupiter/state"
)

// TestFirst: nothing is recorded, so everything is created, in an order in which it can run.
func TestFirst(t *testing.T) {
	t.Parallel()
	p := plans(t, configured(t), newMemory())
	var order []string
	for _, c := range p.Changes {
		order = append(order, c.Op.Symbol()+" "+string(c.Address))
	}
	want := []string{
		"+ domain.d.benchmark", "+ domain.d.source.t.s", "+ domain.d.real",
		"+ trainer.t.base.mix[1]", "+ trainer.t.base[1]", "+ trainer.t.base.select[1]",
		"+ trainer.t.base.mix[2]", "+ trainer.t.base[2]", "+ trainer.t.base.select[2]", "+ self_improvement.c.base",
		"+ domain.d.template.a", "+ domain.d.template.b", "+ self_improvement.c.verify", "+ filter.t.f", "+ self_improvement.c.pool",
		"+ self_improvement.c.mix", "+ trainer.t.student", "+ trainer.t.student.select", "+ self_improvement.c.guard", "+ evaluator.t.p",
		"? self_improvement.c.promotion",
	}
	// Sources and the benchmark are independent of each other; the rest of the order is the cycle's.
	slices.Sort(order[:3])
	slices.Sort(want[:3])
	if d := cmp.Diff(want, order); d != "" {
		t.Errorf("changes (-want +got):\n%s", d)
	}
	if p.Summary != (Summary{Create: 20, Decide: 1}) || p.Empty() || p.Halted() {
		t.Errorf("summary %+v", p.Summary)
	}
	c := p.Cycles[0]
	if c.Epoch != 1 || c.Step != 0 || c.Generator != 0 || c.Remaining != 4 || p.Envelope.Cycles != 4 || p.Envelope.Looks != 4 || p.Envelope.Promotion != "auto" {
		t.Errorf("cycle %+v, envelope %+v", c, p.Envelope)
	}
	for _, ch := range p.Changes {
		if ch.Op != Decide && ch.Reasons[0].Code != NotRecorded {
			t.Errorf("%s is created because of %+v", ch.Address, ch.Reasons)
		}
	}
}

// TestDone: all but the decision is recorded, so the decision is all that is left.
func TestDone(t *testing.T) {
	t.Parallel()
	cfg, m := configured(t), newMemory()
	if n := m.run(t, plans(t, cfg, m), 0); n != 20 {
		t.Fatalf("%d actions ran", n)
	}
	p := plans(t, cfg, m)
	if d := cmp.Diff(map[string]string{"self_improvement.c.promotion": "decide undecided:promotion"}, ops(p)); d != "" {
		t.Errorf("changes (-want +got):\n%s", d)
	}
	// The base is history once version 1 is: its ten actions are no lines any more.
	if p.Summary != (Summary{NoOp: 13, Decide: 1}) {
		t.Errorf("summary %+v", p.Summary)
	}
}

// TestAnyPrefix: wherever a turn is cut off, the next plan has what was done as no-ops and the rest to do, and it comes
// to the same records.
func TestAnyPrefix(t *testing.T) {
	t.Parallel()
	cfg, whole := configured(t), newMemory()
	whole.run(t, plans(t, cfg, whole), 0)
	for n := 1; n < 20; n++ {
		m := newMemory()
		m.run(t, plans(t, cfg, m), n)
		p := plans(t, cfg, m)
		if got := m.run(t, p, 0); got != 20-n || p.Summary.Create != 20-n {
			t.Errorf("after %d actions %d ran and %d were planned, want %d", n, got, p.Summary.Create, 20-n)
		}
		if d := cmp.Diff(whole.actions, m.actions); d != "" {
			t.Errorf("after %d actions and the rest:\n%s", n, d)
		}
	}
}

// turn runs and decides the next cycle.
func turn(t *testing.T, m *memory, p *Plan, verdict string) {
	t.Helper()
	m.run(t, p, 0)
	m.decide(verdict)
}

// TestNextCycle: what a HOLD and what a PROMOTE make stale, and why.
func TestNextCycle(t *testing.T) {
	t.Parallel()
	rest := map[string]string{
		"self_improvement.c.mix":       "rerun (may run) config-changed:records next-window:window input-unknown:pool",
		"trainer.t.student":            "advance (may run) input-changed:input.start next-window:window input-unknown:dataset",
		"trainer.t.student.select":     "rerun (may run) input-unknown:checkpoints",
		"self_improvement.c.guard":     "rerun (may run) input-unknown:model",
		"self_improvement.c.promotion": "decide undecided:promotion",
	}
	// The window is as long as the last one, so the number of records is not among the reasons.
	rest["self_improvement.c.mix"] = "rerun (may run) next-window:window input-unknown:pool"
	for verdict, want := range map[string]map[string]string{
		state.Hold: {
			"self_improvement.c.pool": "rerun next-cycle:cycle input-changed:input.previous",
			"evaluator.t.p":           "rerun (may run) input-unknown:challenger",
		},
		state.Promote: {
			"domain.d.template.a":       "rerun input-changed:input.generator config-changed:version",
			"domain.d.template.b":       "rerun input-changed:input.generator config-changed:version",
			"self_improvement.c.verify": "rerun (may run) input-unknown:samples.domain.d.template.a,samples.domain.d.template.b",
			"filter.t.f":                "rerun (may run) input-unknown:records",
			"self_improvement.c.pool":   "rerun (may run) next-cycle:cycle input-changed:input.previous input-unknown:records",
			"evaluator.t.p":             "rerun (may run) input-changed:input.incumbent input-unknown:challenger",
		},
	} {
		t.Run(verdict, func(t *testing.T) {
			t.Parallel()
			cfg, m := configured(t), newMemory()
			turn(t, m, plans(t, cfg, m), verdict)
			p := plans(t, cfg, m)
			for at, text := range rest {
				want[at] = text
			}
			got := ops(p)
			for at := range got { // the order of names is that of the parts
				got[at] = sortReasons(got[at])
			}
			for at := range want {
				want[at] = sortReasons(want[at])
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("changes (-want +got):\n%s", d)
			}
			if c := p.Cycles[0]; c.Epoch != 2 || c.Step != 10 || c.Remaining != 3 {
				t.Errorf("cycle %+v", c)
			}
		})
	}
}

// sortReasons orders the words of a change, so that a test says which reasons there are and not in which order.
func sortReasons(s string) string {
	words := strings.Fields(s)
	slices.Sort(words)
	return strings.Join(words, " ")
}

// TestInterrupted: a partial result under the lineage is gone on from, and says how far it came.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	cfg, m := configured(t), newMemory()
	all := ids(t, plans(t, cfg, m), m)
	for _, tc := range []struct{ address, unit string }{{"trainer.t.student", "steps"}, {"domain.d.template.a", "samples"}, {"evaluator.t.p", "answers"}} {
		id := all[tc.address]
		m := newMemory()
		m.run(t, plans(t, cfg, m), 0)
		delete(m.actions, id.ID)
		delete(m.last, tc.address)
		m.partials[id.Lineage] = &state.Partial{Lineage: id.Lineage, Done: 7, Unit: tc.unit}
		var found bool
		for _, ch := range plans(t, cfg, m).Changes {
			if string(ch.Address) != tc.address {
				continue
			}
			found = true
			if ch.Op != Advance || ch.Unknown || len(ch.Reasons) != 1 || ch.Reasons[0].Code != Interrupted || ch.Reasons[0].Was != "7 "+tc.unit ||
				!strings.HasPrefix(ch.Title, "continue after 7 "+tc.unit+" (interrupted); ") {
				t.Errorf("%+v", ch)
			}
		}
		if !found {
			t.Errorf("%s is no line of the plan", tc.address)
		}
	}
}

// TestMissing: an artifact that is gone is made again, unless retention removed it.
func TestMissing(t *testing.T) {
	t.Parallel()
	cfg, m := configured(t), newMemory()
	m.run(t, plans(t, cfg, m), 0)
	train := m.last["trainer.t.student"]
	m.gone[train.Outputs["step-5"].Digest] = true
	got := ops(plans(t, cfg, m))
	if !strings.HasPrefix(got["trainer.t.student"], "rerun artifact-missing:sha256:") {
		t.Errorf("a checkpoint that is gone: %q", got["trainer.t.student"])
	}
	// What hangs on it is not known before it has run.
	if got["trainer.t.student.select"] != "rerun (may run) input-unknown:checkpoints" {
		t.Errorf("the selection: %q", got["trainer.t.student.select"])
	}
	train.Retained = false
	if got := ops(plans(t, cfg, m)); got["trainer.t.student"] != "" {
		t.Errorf("a checkpoint that retention removed: %q", got["trainer.t.student"])
	}
}

// TestReasons: each cause of a rerun names itself, with its place where it has one.
func TestReasons(t *testing.T) {
	t.Parallel()
	m := newMemory()
	m.run(t, plans(t, configured(t), m), 0)
	reasons := func(cfg []string, pr probe) map[string]Reason {
		out := map[string]Reason{}
		for _, ch := range planWith(t, configured(t, cfg...), m, pr).Changes {
			for _, r := range ch.Reasons {
				if r.Code != InputUnknown && r.Code != Undecided && ch.Op != NoOp {
					out[string(ch.Address)] = r
				}
			}
		}
		return out
	}

	got := reasons([]string{"level            = 1", "level            = 2"}, probe{})
	r := got["trainer.t.student"]
	if len(got) != 1 || r.Code != ConfigChanged || r.Names[0] != "config.level" || r.Was != "1" || r.Now != "2" || !strings.HasSuffix(r.File, "main.jupiter.hcl") || r.Line != 32 {
		t.Errorf("a changed attribute: %+v", got)
	}
	got = reasons(nil, probe{source: "other "})
	if r := got["domain.d.source.t.s"]; len(got) != 1 || r.Code != SourceChanged {
		t.Errorf("a changed source: %+v", got)
	}
	got = reasons(nil, probe{file: "other "})
	if r := got["domain.d.benchmark"]; len(got) != 1 || r.Code != InputChanged || len(r.Was) != 12 || r.Was == r.Now || r.Line == 0 {
		t.Errorf("a changed split: %+v", got)
	}
	got = reasons([]string{"  level            = 1\n", ""}, probe{})
	if r := got["trainer.t.student"]; len(got) != 1 || r.Names[0] != "config.level" || r.Was != "1" || r.Now != "" || r.Line != 31 {
		t.Errorf("an attribute that was taken out, where its block is: %+v", got)
	}
	got = reasons([]string{"  description = ", "  language = \"es\"\n  description = "}, probe{})
	if r := got["filter.t.f"]; r.Code != ConfigChanged || r.Names[0] != "domain.language" || r.Now != `"es"` || r.Line == 0 {
		t.Errorf("a domain's language: %+v", r)
	}

	cfg := configured(t)
	cfg.Cycles[0].Filters[0].Body.Schema.Revision = 2
	for _, ch := range planWith(t, cfg, m, probe{}).Changes {
		if ch.Address == "filter.t.f" && (ch.Op != Rerun || len(ch.Reasons) != 1 || ch.Reasons[0].Code != RevisionChanged) {
			t.Errorf("a revised filter: %+v", ch)
		}
	}
}

// TestTwoCycles: cycles of one domain share its benchmark, real records and sources, and nothing else.
func TestTwoCycles(t *testing.T) {
	t.Parallel()
	two := project + `
trainer "t" "other" {
  max_steps        = 10
  save_every_steps = 5
}
generator "t" "h" {
  model   = trainer.t.base
  samples = 10
}
self_improvement "k" {
  domain                   = domain.d
  generator                = generator.t.h
  trainer                  = trainer.t.other
  exporter                 = exporter.t.e
  evaluator                = evaluator.t.p
  eval_every_steps         = 10
  min_steps_before_replace = 10
  benchmark_samples        = 700
  promotion                = "manual"
}
`
	p := plans(t, load(t, write(t, t.TempDir(), "main.jupiter.hcl", two)), newMemory())
	seen := map[addr.Address]int{}
	kinds := map[Kind]int{}
	for _, ch := range p.Changes {
		if seen[ch.Address]++; seen[ch.Address] > 1 {
			t.Errorf("%s is there twice", ch.Address)
		}
		kinds[ch.Kind]++
	}
	if kinds[Collect] != 1 || kinds[Benchmark] != 1 || kinds[Real] != 1 || kinds[Promote] != 2 || kinds[Adopt] != 2 {
		t.Errorf("kinds %v", kinds)
	}
	if len(p.Cycles) != 2 || p.Cycles[0].Remaining != 4 || p.Cycles[1].Remaining != 1 || p.Envelope.Cycles != 5 || p.Envelope.Promotion != "manual" {
		t.Errorf("cycles %+v, envelope %+v", p.Cycles, p.Envelope)
	}
}
