package plan

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jupiter/state"
)

func driftOf(t *testing.T, m *memory, pairs ...string) (*Plan, []string) {
	t.Helper()
	cfg := configured(t, pairs...)
	p := plans(t, cfg, m)
	found, err := FindDrift(p, cfg, m)
	if err != nil {
		t.Fatal(err)
	}
	p.AddDrift(found...)
	var all []string
	for _, d := range p.Drift {
		text := string(d.Kind) + " " + string(d.Address) + ": " + d.Detail + " → " + string(d.Fix)
		if d.Blocks {
			text += " (blocks)"
		}
		all = append(all, text)
	}
	return p, all
}

// TestDriftOfLines: what a line of the plan puts right is named once more as what was changed from outside.
func TestDriftOfLines(t *testing.T) {
	t.Parallel()
	cfg, m := configured(t), newMemory()
	m.run(t, plans(t, cfg, m), 0)
	if p, all := driftOf(t, m); len(all) > 0 || p.NeedsPerson() || p.Summary.Repair > 0 {
		t.Errorf("nothing was changed: %q", all)
	}
	pool, train := m.last["self_improvement.c.pool"], m.last["trainer.t.student"]
	m.damaged[pool.Outputs["records"].Digest] = true
	m.gone[train.Outputs["step-5"].Digest] = true
	p, all := driftOf(t, m)
	// The trainer is below the pool: whether it runs depends on what the pool gives, and so nothing is said of it yet.
	if d := cmp.Diff([]string{"artifact self_improvement.c.pool: its result is damaged → change"}, all); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if got := ops(p)["self_improvement.c.pool"]; !strings.HasPrefix(got, "rerun artifact-damaged:sha256:") {
		t.Errorf("the pool: %q", got)
	}
	found, err := FindDrift(planWith(t, cfg, m, probe{source: "other "}), cfg, m)
	if err != nil || len(found) == 0 || found[0].Kind != SourceDrift || found[0].Address != "domain.d.source.t.s" {
		t.Errorf("a source that changed: %+v, %v", found, err)
	}
}

// TestDriftOfHistory: what no line makes again is found too, with what to do: the models of a cycle's generators, the
// checkpoint and the pool that its next turn begins with.
func TestDriftOfHistory(t *testing.T) {
	t.Parallel()
	cfg, m := configured(t), newMemory()
	m.run(t, plans(t, cfg, m), 0)
	m.decide(state.Promote)
	m.run(t, plans(t, cfg, m), 0)
	g := m.facts.Generators
	g[0].Checkpoint = digest("checkpoint of the base")

	m.damaged[g[1].Digest] = true
	p, all := driftOf(t, m)
	if d := cmp.Diff([]string{"artifact self_improvement.c: the model of generator_v2, which is in use, is damaged → person (blocks)"}, all); d != "" {
		t.Errorf("the model in use (-want +got):\n%s", d)
	}
	if r := p.Drift[0].Remedy; !strings.Contains(r, "jupiter rollback --to 1") || !p.NeedsPerson() {
		t.Errorf("the remedy is %q", r)
	}
	// Its checkpoint is there, and its export is on record: an apply does that again.
	c := cfg.Cycles[0]
	again, err := ExportOf("x", judges(c), g[1].Checkpoint, "")
	if err != nil {
		t.Fatal(err)
	}
	id := again.Identify(map[string]string{"checkpoint": g[1].Checkpoint}).ID
	m.actions[id] = &state.ActionRecord{ID: id, Address: "trainer.t.student.select.export", Outputs: map[string]state.Output{"model": {Digest: g[1].Digest}}}
	if p, _ := driftOf(t, m); p.Drift[0].Fix != FixRepair || p.Drift[0].Blocks || p.Summary.Repair != 1 || p.NeedsPerson() || p.Empty() {
		t.Errorf("with its checkpoint: %+v", p.Drift[0])
	}
	if a, err := ExportAgain(c, g[1], m); err != nil || a == nil || a.Address != "trainer.t.student.select.export" {
		t.Errorf("the export of before: %+v, %v", a, err)
	}
	// Another exporter may give other bytes.
	if p, _ := driftOf(t, m, `exporter "t" "e" {}`, "exporter \"t\" \"e\" {\n level = 2\n}"); p.Drift[0].Fix != FixPerson {
		t.Errorf("with another exporter: %+v", p.Drift[0])
	}
	m.damaged, m.gone = map[string]bool{}, map[string]bool{g[0].Digest: true}
	p, all = driftOf(t, m)
	if d := cmp.Diff([]string{"artifact self_improvement.c: the model of generator_v1 is gone → person"}, all); d != "" || !strings.Contains(p.Drift[0].Remedy, "nothing can go back to it") {
		t.Errorf("an earlier model (-want +got):\n%s", d)
	}
	g[0].Released = true
	if _, all := driftOf(t, m); len(all) > 0 {
		t.Errorf("a model that retention let go of: %q", all)
	}

	m.gone = map[string]bool{m.facts.Start(): true, m.facts.Pool(): true}
	want := []string{"artifact trainer.t.student: the checkpoint of step 10, which the next window starts from, is gone → person (blocks)",
		"artifact self_improvement.c.pool: the pool of epoch 1, with the samples of the cycles so far, is gone → person (blocks)"}
	_, all = driftOf(t, m)
	if d := cmp.Diff(want, all); d != "" {
		t.Errorf("what the next turn begins with (-want +got):\n%s", d)
	}
	if _, all := driftOf(t, m, "benchmark_samples        = 700", "benchmark_samples = 700\n pool = \"replace\""); len(all) != 1 {
		t.Errorf("a turn that needs no pool: %q", all)
	}
	// A cycle that has ended needs neither.
	if _, all := driftOf(t, m, "benchmark_samples        = 700", "benchmark_samples = 700\n max_cycles = 1"); len(all) != 0 {
		t.Errorf("of a cycle that has ended: %q", all)
	}
}
