package plan

import (
	"context"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jupiter/plan/config"
	"jupiter/state"
)

// fileProbe is a probe whose files have content; one without is not there.
type fileProbe struct {
	probe
	files map[string]string // end of the path → content
}

func (p fileProbe) File(path string) (string, error) {
	for name, content := range p.files {
		if strings.HasSuffix(path, name) {
			if content == "" {
				return "", fs.ErrNotExist
			}
			return digest(content), nil
		}
	}
	return p.probe.File(path)
}

func (p fileProbe) Model(context.Context, *config.Stage) (string, error) {
	panic("the generator brings no model of its own")
}

const (
	importedBase    = "model   = \"base.gguf\"\n"
	importedStudent = "start            = \"student.gguf\"\n  level            = 1\n"
)

// A generator whose model is a path begins with its import, and no trainer makes a base.
func TestImportedBase(t *testing.T) {
	t.Parallel()
	cfg := configured(t, "model   = trainer.t.base\n", importedBase)
	pr := fileProbe{files: map[string]string{"base.gguf": "one"}}
	m := newMemory()
	p := planWith(t, cfg, m, pr)
	got := ops(p)
	if got["generator.t.g.import"] != "create not-recorded:generator.t.g.import" || !strings.HasPrefix(got["self_improvement.c.base"], "create") {
		t.Errorf("the import is not planned: %v", got)
	}
	for at := range got {
		if strings.HasPrefix(at, "trainer.t.base") {
			t.Errorf("%s is planned, and nothing asks for it", at)
		}
	}
	m.run(t, p, 5)
	changed := fileProbe{files: map[string]string{"base.gguf": "two"}}
	if m.facts.Current == 0 { // what was imported and not yet adopted is no history
		if got := ops(planWith(t, cfg, m, changed))["generator.t.g.import"]; m.last["generator.t.g.import"] != nil && got != "rerun source-changed:file" {
			t.Errorf("a file that changed before the base was adopted: %q", got)
		}
	}
	m.run(t, planWith(t, cfg, m, pr), 0)
	m.decide(state.Hold)
	notes := func(pr Probe) string {
		t.Helper()
		p := planWith(t, cfg, m, pr)
		if _, ok := ops(p)["generator.t.g.import"]; ok {
			t.Error("history is imported again")
		}
		return strings.Join(p.Cycles[0].Notes, "\n")
	}
	if n := notes(pr); n != "" {
		t.Errorf("a file that is as it was: %q", n)
	}
	if n := notes(changed); !strings.Contains(n, "base.gguf is not what generator_v1 was made from") {
		t.Errorf("a file that changed after the base was adopted: %q", n)
	}
	if n := notes(fileProbe{files: map[string]string{"base.gguf": ""}}); n != "" {
		t.Errorf("a file that is gone after it was adopted: %q", n)
	}
	delete(m.last, "generator.t.g.import")
	if n := notes(pr); !strings.Contains(n, `generator.t.g says model = "base.gguf", and generator_v1 is another model`) {
		t.Errorf("a path that generator_v1 did not come from: %q", n)
	}
}

// A file that is not there is an error only as long as it is needed.
func TestImportWithoutFile(t *testing.T) {
	t.Parallel()
	cfg := configured(t, "model   = trainer.t.base\n", importedBase)
	_, err := Make(t.Context(), cfg, newMemory(), fileProbe{files: map[string]string{"base.gguf": ""}}, Options{})
	if err == nil || err.Error() != "generator.t.g: there is no base.gguf, which model names" {
		t.Errorf("error %v", err)
	}
}

// A trainer whose start is a path begins there, and a rollback to before the first promotion goes back to it.
func TestImportedStart(t *testing.T) {
	t.Parallel()
	cfg := configured(t, "level            = 1\n", importedStudent)
	pr := fileProbe{files: map[string]string{"student.gguf": "one"}}
	m := newMemory()
	p := planWith(t, cfg, m, pr)
	m.run(t, p, 0)
	start := m.last["trainer.t.student.import"].Outputs["checkpoint"].Digest
	if got := m.last["trainer.t.student"].Parts["input.start"]; got != start {
		t.Errorf("the first window starts from %q, want %q", got, start)
	}
	m.decide(state.Promote)
	second := planWith(t, cfg, m, pr)
	if _, ok := ops(second)["trainer.t.student.import"]; ok {
		t.Error("the second window imports again")
	}
	m.run(t, second, 0)
	if got := m.last["trainer.t.student"].Parts["input.start"]; got != m.facts.Decisions[0].Checkpoint {
		t.Errorf("the second window starts from %q", got)
	}
	m.facts.Events = append(m.facts.Events, state.Event{Act: "rollback", Epoch: 1, To: 1, Checkpoint: m.facts.Decisions[0].StartCheckpoint})
	if got := m.facts.Start(); got != start {
		t.Errorf("after a rollback the student starts from %q, want %q", got, start)
	}
	notes := func(pr Probe) string { return strings.Join(planWith(t, cfg, m, pr).Cycles[0].Notes, "\n") }
	if n := notes(pr); n != "" {
		t.Errorf("a file that is as it was: %q", n)
	}
	if n := notes(fileProbe{files: map[string]string{"student.gguf": "two"}}); !strings.Contains(n, "student.gguf is not what the student's start was made from") {
		t.Errorf("a file that changed: %q", n)
	}

	// A student that begins again takes the file that there is, and what it began with is known from then on.
	two := fileProbe{files: map[string]string{"student.gguf": "two"}}
	m.facts.Events = append(m.facts.Events, state.Event{Act: "restart", Epoch: 1})
	if n := notes(two); n != "" {
		t.Errorf("a student that begins again from a file that changed: %q", n)
	}
	m.run(t, planWith(t, cfg, m, two), 0)
	if got, want := m.last["trainer.t.student"].Parts["input.start"], m.last["trainer.t.student.import"].Outputs["checkpoint"].Digest; got != want || got == start {
		t.Errorf("it begins again with %q, want %q", got, want)
	}
	m.decide(state.Hold)
	if n := notes(two); n != "" {
		t.Errorf("a student that has begun again: %q", n)
	}
	if n := notes(pr); !strings.Contains(n, "student.gguf is not what the student's start was made from") {
		t.Errorf("the file that it began with before: %q", n)
	}
}

// Whatever is trained from an imported model on names it as its base, and so does each choice among its checkpoints: in the
// first window, in later ones, after a rollback and after a restart. Two starts are two results.
func TestBaseOfAStudent(t *testing.T) {
	t.Parallel()
	cfg := configured(t, "level            = 1\n", importedStudent)
	pr := fileProbe{files: map[string]string{"student.gguf": "one"}}
	m := newMemory()
	m.run(t, planWith(t, cfg, m, pr), 0)
	base := m.last["trainer.t.student.import"].Outputs["checkpoint"].Digest
	check := func(when string) {
		t.Helper()
		for _, at := range []string{"trainer.t.student", "trainer.t.student.select"} {
			if got := m.last[at].Parts["input.base"]; got != base {
				t.Errorf("%s: %s has the base %q, want %q", when, at, got, base)
			}
		}
		for _, at := range []string{"trainer.t.base[1]", "trainer.t.base.select[2]", "self_improvement.c.base"} {
			if got, ok := m.last[at].Parts["input.base"]; ok {
				t.Errorf("%s: %s has the base %q, and begins with nothing", when, at, got)
			}
		}
	}
	check("first window")
	first := m.last["trainer.t.student"]
	m.decide(state.Promote)
	gone := fileProbe{files: map[string]string{"student.gguf": ""}} // the file is not needed any more
	second := planWith(t, cfg, m, gone)
	if id := m.last["trainer.t.student"].ID; m.run(t, second, 0) == 0 || m.last["trainer.t.student"].ID == id {
		t.Fatal("the second window is not trained")
	}
	check("second window")
	m.decide(state.Hold)
	m.facts.Events = append(m.facts.Events, state.Event{Act: "rollback", Epoch: 2, To: 1, Checkpoint: m.facts.Decisions[0].StartCheckpoint})
	if got := m.facts.Base(); got != base {
		t.Errorf("after a rollback the base is %q, want %q", got, base)
	}
	m.facts.Restart = true
	if got := m.facts.Base(); got != "" {
		t.Errorf("a student that starts again has the base %q of before", got)
	}

	other := newMemory()
	other.run(t, planWith(t, cfg, other, fileProbe{files: map[string]string{"student.gguf": "two"}}), 0)
	if other.last["trainer.t.student"].ID == first.ID || other.last["trainer.t.student"].Lineage == first.Lineage {
		t.Error("two starts are one result")
	}
	if m.last["trainer.t.base[1]"].ID != other.last["trainer.t.base[1]"].ID {
		t.Error("what begins with nothing is another result for it")
	}
}

// A trainer that stands alone hands its base to the generator that comes of it, and to a student that starts where it ended.
func TestBaseOfAChain(t *testing.T) {
	t.Parallel()
	cfg := configured(t, "dataset          = domain.d.real\n", "dataset          = domain.d.real\n  start            = \"student.gguf\"\n",
		"level            = 1\n", "start            = trainer.t.base\n  level            = 1\n")
	m := newMemory()
	p := planWith(t, cfg, m, fileProbe{files: map[string]string{"student.gguf": "one"}})
	m.run(t, p, 0)
	base := m.last["trainer.t.base.import"].Outputs["checkpoint"].Digest
	for _, at := range []string{"trainer.t.base[1]", "trainer.t.base[2]", "trainer.t.base.select[2]", "self_improvement.c.base", "trainer.t.student", "trainer.t.student.select"} {
		if got := m.last[at].Parts["input.base"]; got != base {
			t.Errorf("%s has the base %q, want %q", at, got, base)
		}
	}
	m.facts.Generators[0].CreatedBy, m.facts.Generators[0].Checkpoint = m.last["self_improvement.c.base"].ID, m.last["trainer.t.base.select[2]"].Outputs["checkpoint"].Digest
	m.decide(state.Promote)
	m.run(t, plans(t, cfg, m), 0)
	if got := m.last["trainer.t.student"].Parts["input.base"]; got != base {
		t.Errorf("the second window has the base %q, want %q", got, base)
	}

	// A generator whose model is gone is exported again from its checkpoint, on its base.
	for _, g := range m.facts.Generators {
		a, err := ExportOf("trainer.t.x", judges(cfg.Cycles[0]), g.Checkpoint, base)
		if err != nil {
			t.Fatal(err)
		}
		inputs, _ := a.Resolve(nil)
		id := a.Identify(inputs)
		m.actions[id.ID] = &state.ActionRecord{ID: id.ID, Address: string(a.Address), Kind: string(Export), Parts: id.Parts, Outputs: map[string]state.Output{"model": {Digest: g.Digest}}}
		again, err := ExportAgain(cfg.Cycles[0], g, m)
		if err != nil || again == nil {
			t.Fatalf("generator_v%d is not exported again: %v", g.Version, err)
		}
		if in, _ := again.Resolve(nil); in["base"] != base || in["checkpoint"] != g.Checkpoint {
			t.Errorf("generator_v%d is exported again from %v", g.Version, in)
		}
	}
	m.gone[base] = true
	if again, err := ExportAgain(cfg.Cycles[0], m.facts.Generators[1], m); again != nil || err != nil {
		t.Errorf("an export without its base: %v, %v", again, err)
	}
	drift, err := FindDrift(plans(t, cfg, m), cfg, m)
	if err != nil || len(drift) != 1 || drift[0].Name != base || !drift[0].Blocks || drift[0].Fix != FixPerson {
		t.Errorf("drift %+v, %v", drift, err)
	}
}

// What a person imported is where the student starts, and it is the same as if the configuration had said it.
func TestImportedByHand(t *testing.T) {
	t.Parallel()
	pr := fileProbe{files: map[string]string{"student.gguf": "one"}}
	says, silent := configured(t, "level            = 1\n", importedStudent), configured(t)
	m := newMemory()
	m.run(t, planWith(t, says, m, pr), 0)
	declared := m.last["trainer.t.student"].ID
	start := m.last["trainer.t.student.import"].Outputs["checkpoint"].Digest

	m.facts.Events = []state.Event{{Act: "import", Checkpoint: start, Who: "ann", Reason: "student.gguf"}}
	if n := m.run(t, planWith(t, silent, m, pr), 0); n != 0 || m.facts.Start() != start {
		t.Errorf("%d actions run again where the start is an event's", n)
	}
	if m.last["trainer.t.student"].ID != declared {
		t.Error("the window is another one")
	}
	if n := planWith(t, says, m, pr).Cycles[0].Notes; len(n) != 0 {
		t.Errorf("notes %q where both say the same", n)
	}

	// The act holds where the configuration names another model, and the plan says which of the two is used.
	other := configured(t, "level            = 1\n", strings.Replace(importedStudent, "student.gguf", "another.gguf", 1))
	both := fileProbe{files: map[string]string{"student.gguf": "one", "another.gguf": "two"}}
	p := planWith(t, other, m, both)
	if n := m.run(t, p, 0); n != 0 || m.last["trainer.t.student"].Parts["input.start"] != start {
		t.Errorf("%d actions run again, and the student starts from %s, want %s", n, m.last["trainer.t.student"].Parts["input.start"], start)
	}
	if n, want := strings.Join(p.Cycles[0].Notes, "\n"), `the student starts from an import by ann on 0001-01-01 (student.gguf), and not from start = "another.gguf" of trainer.t.student`; !strings.Contains(n, want) {
		t.Errorf("notes %q where the configuration says something else, want %q", n, want)
	}
	// So does the last of several acts, also where another import than its own was the last to be made.
	c := other.Cycles[0]
	a, err := ImportOf(other, c, c.Trainer, c.Trainer.Import, digest("two"))
	if err != nil {
		t.Fatal(err)
	}
	m.last[string(a.Address)] = &state.ActionRecord{Parts: a.Identify(nil).Parts, Outputs: map[string]state.Output{"checkpoint": {Digest: digest("of another")}}}
	if n := planWith(t, says, m, both).Cycles[0].Notes; len(n) != 0 {
		t.Errorf("notes %q where both say the same", n)
	}
}

// The act of a person and the plan name an import and an adoption alike.
func TestImportIdentity(t *testing.T) {
	t.Parallel()
	cfg := configured(t, "model   = trainer.t.base\n", importedBase)
	m := newMemory()
	all := ids(t, planWith(t, cfg, m, fileProbe{files: map[string]string{"base.gguf": "one"}}), m)
	c := cfg.Cycles[0]
	a, err := ImportOf(cfg, c, c.Generator, &config.Import{Attr: "model", Path: "/elsewhere/x.gguf", Written: "/elsewhere/x.gguf"}, digest("one"))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(all[string(a.Address)], a.Identify(nil)); d != "" {
		t.Errorf("import (-plan +act):\n%s", d)
	}
	model := m.last[string(a.Address)].Outputs["model"].Digest
	adopt := AdoptOf(cfg, c, model)
	if d := cmp.Diff(all[string(adopt.Address)], adopt.Identify(map[string]string{"model": model})); d != "" {
		t.Errorf("adoption (-plan +act):\n%s", d)
	}
}

// What a plan has found outside is told apart also where all that it does is new.
func TestOutside(t *testing.T) {
	t.Parallel()
	cfg := configured(t, "level            = 1\n", importedStudent)
	outside := func(pr Probe) string { return planWith(t, cfg, newMemory(), pr).Outside() }
	one := outside(fileProbe{files: map[string]string{"student.gguf": "one"}})
	if again := outside(fileProbe{files: map[string]string{"student.gguf": "one"}}); again != one {
		t.Error("one file gives two digests")
	}
	if outside(fileProbe{files: map[string]string{"student.gguf": "two"}}) == one {
		t.Error("another file to import is not told apart")
	}
	if outside(fileProbe{probe: probe{source: "other"}, files: map[string]string{"student.gguf": "one"}}) == one {
		t.Error("another source is not told apart")
	}
}
