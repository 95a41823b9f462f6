package plan

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"jupiter/plan/addr"
	"jupiter/plan/config"
	"jupiter/plugins/schema"
	"jupiter/state"
)

// stages are the schemas of the tests' stages: one attribute of each effect where a kind has any.
type stages struct{}

const (
	ckptType  = "application/test.checkpoint"
	modelType = "application/test.model"
)

func (stages) Stage(kind, typ string) (*schema.Stage, error) {
	s := &schema.Stage{Plugin: "test", Kind: kind, Type: typ, Revision: 1, Attributes: []schema.Attribute{
		{Name: "level", Type: cty.Number},
		{Name: "more", Type: cty.Number, Effect: schema.Advance},
		{Name: "threads", Type: cty.Number, Effect: schema.None},
		{Name: "key", Type: cty.String, Sensitive: true},
	}}
	switch kind {
	case "trainer":
		s.Produces, s.Features = []string{ckptType}, []string{"import"}
	case "exporter":
		s.Consumes, s.Produces = []string{ckptType}, []string{modelType}
	case "generator":
		s.Consumes, s.Features = []string{modelType}, []string{"import"}
	}
	return s, nil
}

// project is the configuration of most tests: a base that is trained, two templates, a filter, and a student.
const project = `
verifier "t" "v" {}
domain "d" {
  description = "d"
  verifier    = verifier.t.v
  mix_ratio   = { real = 0.35, synthetic = 0.65 }
  source "t" "s" {
    bucket = "real"
  }
  template "a" {
    bucket = "synthetic"
    weight = 0.75
  }
  template "b" {
    bucket = "synthetic"
    weight = 0.25
    prompt = "ask"
  }
  evaluation {
    split "dev" { file = "dev.jsonl" }
    split "gate" { file = "gate.jsonl" }
    split "validation" { file = "validation.jsonl" }
  }
}
trainer "t" "base" {
  dataset          = domain.d.real
  max_steps        = 20
  schedule_steps   = 10
  save_every_steps = 5
}
trainer "t" "student" {
  level            = 1
  max_steps        = 40
  save_every_steps = 5
  select { split = "validation" }
}
generator "t" "g" {
  model   = trainer.t.base
  samples = 100
}
filter "t" "f" {}
exporter "t" "e" {}
evaluator "t" "p" {}
self_improvement "c" {
  domain                   = domain.d
  generator                = generator.t.g
  filters                  = [filter.t.f]
  trainer                  = trainer.t.student
  exporter                 = exporter.t.e
  evaluator                = evaluator.t.p
  eval_every_steps         = 10
  min_steps_before_replace = 10
  benchmark_samples        = 700
}
`

// edit replaces text that must be there, once.
func edit(t *testing.T, src string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if strings.Count(src, pairs[i]) != 1 {
			t.Fatalf("%q is in the source %d times", pairs[i], strings.Count(src, pairs[i]))
		}
		src = strings.Replace(src, pairs[i], pairs[i+1], 1)
	}
	return src
}

// write puts a configuration and its splits into dir.
func write(t *testing.T, dir, name, src string) string {
	t.Helper()
	files := map[string]string{name: src}
	for _, split := range []string{"dev", "gate", "validation"} {
		files[split+".jsonl"] = strings.Repeat("{}\n", 700)
	}
	for _, name := range sorted(files) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(files[name]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func load(t *testing.T, dir string) *config.Config {
	t.Helper()
	cfg, files, diags := config.Load(dir, config.Options{Schemas: stages{}, Version: "0.1.0"})
	if diags.HasErrors() {
		var b bytes.Buffer
		if err := hcl.NewDiagnosticTextWriter(&b, files, 0, false).WriteDiagnostics(diags); err != nil {
			t.Fatal(err)
		}
		t.Fatal(b.String())
	}
	return cfg
}

// configured loads the project with some of its text replaced.
func configured(t *testing.T, pairs ...string) *config.Config {
	t.Helper()
	return load(t, write(t, t.TempDir(), "main.jupiter.hcl", edit(t, project, pairs...)))
}

// probe answers what a plan asks of the outside.
type probe struct{ source, file string }

func (p probe) Records(_ context.Context, _ *config.Stage, steps uint64) (uint64, error) {
	return 4 * steps, nil
}
func (p probe) Source(_ context.Context, s *config.Source) (string, error) {
	return p.source + string(s.Addr), nil
}
func (p probe) Model(context.Context, *config.Stage) (string, error) { return "remote", nil }
func (p probe) File(path string) (string, error)                     { return digest(p.file + filepath.Base(path)), nil }

func digest(of string) string {
	sum := sha256.Sum256([]byte(of))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// memory is a recorded past in memory. It acts as the runtime does: an action that ran is recorded under its ID, and at
// its address.
type memory struct {
	facts    Facts
	actions  map[string]*state.ActionRecord
	last     map[string]*state.ActionRecord
	partials map[string]*state.Partial
	gone     map[string]bool
	damaged  map[string]bool // there, and not what they were
	cycle    addr.Address    // whose history facts is
}

func newMemory() *memory {
	return &memory{actions: map[string]*state.ActionRecord{}, last: map[string]*state.ActionRecord{}, partials: map[string]*state.Partial{}, gone: map[string]bool{}, damaged: map[string]bool{}, cycle: "self_improvement.c"}
}

func (m *memory) Facts(cycle addr.Address) Facts {
	if cycle != m.cycle {
		return Facts{}
	}
	return m.facts
}
func (m *memory) Action(id string) *state.ActionRecord  { return m.actions[id] }
func (m *memory) Last(at string) *state.ActionRecord    { return m.last[at] }
func (m *memory) Partial(lineage string) *state.Partial { return m.partials[lineage] }
func (m *memory) Begun(at string) *state.Partial {
	for _, l := range sorted(m.partials) {
		if m.partials[l].Address == at {
			return m.partials[l]
		}
	}
	return nil
}
func (m *memory) Stages() (all []addr.Address) {
	for _, a := range sorted(m.last) {
		all = append(all, addr.Address(a))
	}
	return all
}
func (m *memory) Cycles() []addr.Address {
	if len(m.facts.Generators) == 0 {
		return nil
	}
	return []addr.Address{m.cycle}
}
func (m *memory) Has(digest string) bool     { return !m.gone[digest] && !m.damaged[digest] }
func (m *memory) Damaged(digest string) bool { return m.damaged[digest] }

// outputs are the names of what an action gives.
func outputs(a *Action) []string {
	switch a.Kind {
	case Benchmark:
		return []string{"benchmark"}
	case Generate:
		return []string{"samples"}
	case Mix:
		return []string{"dataset"}
	case Train:
		return []string{fmt.Sprintf("step-%d", a.Window.Start+5), fmt.Sprintf("step-%d", a.Window.End)}
	case Select:
		return []string{"model", "checkpoint"}
	case Measure:
		return []string{"metrics", "raw"}
	case Evaluate:
		return []string{"items", "answers"}
	case Adopt:
		return []string{"model"}
	case Import:
		if a.Stage.Kind == "trainer" {
			return []string{"checkpoint"}
		}
		return []string{"model"}
	}
	return []string{"records"}
}

// run does what a plan says, up to a limit of actions that were not recorded yet; 0: all. It returns how many it did.
func (m *memory) run(t *testing.T, p *Plan, limit int) int {
	t.Helper()
	done := map[*Action]map[string]state.Output{}
	n := 0
	for _, c := range p.Cycles {
		for _, a := range c.Actions {
			if a.Kind == Promote {
				continue
			}
			inputs, unknown := a.Resolve(done)
			if len(unknown) > 0 {
				t.Fatalf("%s comes before its inputs %v", a.Address, unknown)
			}
			id := a.Identify(inputs)
			rec := m.actions[id.ID]
			if rec == nil {
				if limit > 0 && n == limit {
					return n
				}
				n++
				rec = &state.ActionRecord{ID: id.ID, Lineage: id.Lineage, Address: string(a.Address), Kind: string(a.Kind), Parts: id.Parts, Outputs: map[string]state.Output{}, Retained: true}
				for _, name := range outputs(a) {
					rec.Outputs[name] = state.Output{Digest: digest(id.ID + name)}
				}
				if model := inputs["model"]; a.Kind == Adopt && model != "" {
					rec.Outputs["model"] = state.Output{Digest: model} // an adoption moves no bytes
				}
				m.actions[id.ID], m.last[rec.Address] = rec, rec
			}
			done[a] = rec.Outputs
			if a.Kind == Adopt && m.facts.Current == 0 {
				m.facts.Generators = []state.Generator{{Version: 1, Base: true, Digest: rec.Outputs["model"].Digest}}
				m.facts.Current = 1
			}
		}
	}
	return n
}

// decide ends the cycle with a verdict.
func (m *memory) decide(verdict string) {
	f := &m.facts
	sel, pool := m.last["trainer.t.student.select"], m.last["self_improvement.c.pool"]
	d := state.Decision{Epoch: f.Epoch(), Step: f.Step() + 10, Verdict: verdict, IncumbentVersion: f.Current, StartCheckpoint: m.last["trainer.t.student"].Parts["input.start"],
		Model: sel.Outputs["model"].Digest, Checkpoint: sel.Outputs["checkpoint"].Digest, Inputs: map[string]string{"pool": pool.Outputs["records"].Digest}}
	if base := m.last["trainer.t.student"].Parts["input.base"]; base != "" {
		d.Inputs["base"] = base
	}
	if verdict == state.Promote {
		d.Promoted = uint64(len(f.Generators)) + 1
		f.Generators = append(f.Generators, state.Generator{Version: d.Promoted, Digest: d.Model, Checkpoint: d.Checkpoint, Epoch: d.Epoch, Step: d.Step})
		f.Current = d.Promoted
	}
	f.Decisions = append(f.Decisions, d)
}

func plans(t *testing.T, cfg *config.Config, m *memory) *Plan {
	t.Helper()
	return planWith(t, cfg, m, probe{})
}

func planWith(t *testing.T, cfg *config.Config, m *memory, pr Probe) *Plan {
	t.Helper()
	p, err := Make(t.Context(), cfg, m, pr, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// ops is each address that a plan changes, with its operation and the codes of its reasons.
func ops(p *Plan) map[string]string {
	out := map[string]string{}
	for _, c := range p.Changes {
		if c.Op == NoOp {
			continue
		}
		text := string(c.Op)
		if c.Unknown {
			text += " (may run)"
		}
		for _, r := range c.Reasons {
			text += fmt.Sprintf(" %s:%s", r.Code, strings.Join(r.Names, ","))
		}
		out[string(c.Address)] = text
	}
	return out
}

// ids is the identity of each action of a plan whose inputs are known from what has run.
func ids(t *testing.T, p *Plan, m *memory) map[string]Identity {
	t.Helper()
	m.run(t, p, 0)
	done := map[*Action]map[string]state.Output{}
	out := map[string]Identity{}
	for _, c := range p.Cycles {
		for _, a := range c.Actions {
			if a.Kind == Promote {
				continue
			}
			inputs, _ := a.Resolve(done)
			id := a.Identify(inputs)
			out[string(a.Address)] = id
			done[a] = m.actions[id.ID].Outputs
		}
	}
	return out
}
