package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/zclconf/go-cty/cty"

	"jupiter/plan"
	"jupiter/plan/addr"
	"jupiter/plan/config"
	"jupiter/plugins/schema"
	"jupiter/state"
)

// TestNothingIsLeft: what is recorded of a project is all that a plan of it asks for but the decision, in both spellings.
func TestNothingIsLeft(t *testing.T) {
	t.Parallel()
	p := &project{dir: t.TempDir(), n: 3}
	for name, text := range p.files() {
		if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	db, err := state.Open(filepath.Join(p.dir, ".jupiter"), state.Options{Clock: func() time.Time { return time.Unix(0, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range spellings {
		cfg, _, diags := config.Load(filepath.Join(p.dir, s.file), config.Options{Schemas: stubs{}})
		if diags.HasErrors() {
			t.Fatalf("%s: %v", s.name, diags)
		}
		if i == 0 {
			made, err := plan.Make(t.Context(), cfg, read(t, db, cfg), stubs{}, plan.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := record(t.Context(), db, made.Cycles[0].Actions); err != nil {
				t.Fatal(err)
			}
		}
		made, err := plan.Make(t.Context(), cfg, read(t, db, cfg), stubs{}, plan.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if want := (plan.Summary{NoOp: p.n + others, Decide: 1}); made.Summary != want {
			t.Errorf("%s: %+v, want %+v", s.name, made.Summary, want)
		}
	}
}

// stubs are stages that take what the project says to them, and the outside world.
type stubs struct{}

func (stubs) Stage(kind, typ string) (*schema.Stage, error) {
	const checkpoint, model = "application/test.checkpoint", "application/test.model"
	s := &schema.Stage{Plugin: typ, Kind: kind, Type: typ, Revision: 1, Attributes: []schema.Attribute{
		{Name: "n", Type: cty.Number}, {Name: "min_chars", Type: cty.Number}, {Name: "kind", Type: cty.String},
	}}
	switch kind {
	case "trainer":
		s.Produces = []string{checkpoint}
	case "exporter":
		s.Consumes, s.Produces = []string{checkpoint}, []string{model}
	case "generator":
		s.Consumes = []string{model}
	}
	return s, nil
}

func (stubs) Records(context.Context, *config.Stage, uint64) (uint64, error) { return 64, nil }
func (stubs) Source(context.Context, *config.Source) (string, error)         { return "source", nil }
func (stubs) Model(context.Context, *config.Stage) (string, error)           { return "model", nil }
func (stubs) File(path string) (string, error)                               { return "file " + filepath.Base(path), nil }

// recorded is a state in memory.
type recorded struct {
	facts   plan.Facts
	actions map[string]*state.ActionRecord
	last    map[string]*state.ActionRecord
	has     func(string) (bool, error)
}

func read(t *testing.T, db *state.DB, cfg *config.Config) *recorded {
	t.Helper()
	r := &recorded{actions: map[string]*state.ActionRecord{}, last: map[string]*state.ActionRecord{}, has: db.Artifacts().Has}
	err := db.View(t.Context(), func(tx *state.Tx) (err error) {
		for a, err := range tx.Actions() {
			if err != nil {
				return err
			}
			r.actions[a.ID] = &a
			if s, ok, err := tx.Stage(addr.Address(a.Address)); err != nil {
				return err
			} else if ok && s.Action == a.ID {
				r.last[a.Address] = &a
			}
		}
		if r.facts.Generators, err = tx.Generators(cfg.Cycles[0].Addr); err != nil {
			return err
		}
		r.facts.Current, _, err = tx.Current(cfg.Cycles[0].Addr)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.actions) != len(r.last) {
		t.Errorf("%d actions, %d stages", len(r.actions), len(r.last))
	}
	return r
}

func (r *recorded) Facts(addr.Address) plan.Facts           { return r.facts }
func (r *recorded) Action(id string) *state.ActionRecord    { return r.actions[id] }
func (r *recorded) Last(address string) *state.ActionRecord { return r.last[address] }
func (r *recorded) Partial(string) *state.Partial           { return nil }
func (r *recorded) Begun(string) *state.Partial             { return nil }
func (r *recorded) Stages() []addr.Address                  { return nil }
func (r *recorded) Cycles() []addr.Address                  { return nil }
func (r *recorded) Damaged(string) bool                     { return false }

func (r *recorded) Has(digest string) bool {
	ok, err := r.has(digest)
	return ok && err == nil
}
