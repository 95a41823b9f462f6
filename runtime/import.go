package runtime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"jupiter/plan"
	"jupiter/plan/addr"
	"jupiter/plan/config"
	"jupiter/state"
)

// ImportOptions say what to import, and for whom.
type ImportOptions struct {
	Cycle   *config.Cycle
	Stage   *config.Stage // the cycle's generator or its trainer
	Path    string        // absolute
	Written string        // as a person names it
	Reason  string
}

// Imported is what came of an import.
type Imported struct {
	Path    string // as it was written
	Digest  string // of the file or directory
	What    string // what the plugin found in it
	Output  string // digest of the model or checkpoint
	Version uint64 // of the generator; 0: it is the student's start
}

// Import takes a model from elsewhere by hand: as the base generator of a cycle that has none yet, or as the start of a
// student that has no window behind it. It does what a plan does for a block that names the model, under the same
// identity, so either finds the other's work done. The act is recorded.
func (r *Runner) Import(ctx context.Context, o ImportOptions) (*Imported, error) {
	f, err := r.Facts(ctx, o.Cycle.Addr)
	if err != nil {
		return nil, err
	}
	if err := importDue(o.Cycle, o.Stage, f); err != nil {
		return nil, err
	}
	source, err := digestOf(o.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no %s", o.Written)
	}
	if err != nil {
		return nil, err
	}
	from, err := importFrom(o, source)
	if err != nil {
		return nil, err
	}
	a, err := plan.ImportOf(r.Config, o.Cycle, o.Stage, from, source)
	if err != nil {
		return nil, err
	}
	if err := r.Host.SetWorkDir(r.workDir()); err != nil {
		return nil, err
	}
	rec, err := r.do(ctx, a, nil)
	if err != nil {
		return nil, err
	}
	var detail imported
	if err := json.Unmarshal(rec.Result, &detail); err != nil {
		return nil, fmt.Errorf("result of %s: %w", a.Address, err)
	}
	out := &Imported{Path: o.Written, Digest: source, What: detail.what()}
	e := state.Event{At: r.Clock(), Act: "import", Cycle: string(o.Cycle.Addr), Who: r.Who, Epoch: uint64(len(f.Decisions)), Reason: eventReason(o, source, detail)}
	if o.Stage.Kind == "trainer" {
		out.Output = rec.Outputs["checkpoint"].Digest
		e.Checkpoint = out.Output
		return out, r.DB.Update(ctx, func(tx *state.Tx) error { return tx.AppendEvent(e) })
	}
	out.Output, out.Version, e.To = rec.Outputs["model"].Digest, 1, 1
	return out, r.adoptByHand(ctx, plan.AdoptOf(r.Config, o.Cycle, out.Output), out.Output, e)
}

// importDue refuses an import that history no longer allows, or that the configuration speaks against.
func importDue(c *config.Cycle, s *config.Stage, f plan.Facts) error {
	switch {
	case !s.Imports():
		return fmt.Errorf("%s: %s %q takes no models from elsewhere", s.Addr, s.Kind, s.Type)
	case s.Kind == "trainer" && len(f.Decisions) > 0:
		return fmt.Errorf("the student of %s has trained %d steps, and its next window starts from there; a self_improvement block of another name, with a trainer of its own, starts from an imported model", c.Addr, f.Step())
	case s.Kind == "generator" && len(f.Generators) > 0:
		return fmt.Errorf("%s has generator_v1 already, and a history stays: jupiter rollback goes back in it; a self_improvement block of another name begins with an imported model", c.Addr)
	case s.Model != "":
		return fmt.Errorf("%s says model = %s: take that line out, or name the model there, before it is imported", s.Addr, s.Model)
	case s.Start != nil:
		return fmt.Errorf("%s says start = %s: take that line out, or name the model there, before it is imported", s.Addr, s.Start.Addr)
	}
	return nil
}

// importFrom is where the import comes from: what the block names, where it names anything. It must be the same then.
func importFrom(o ImportOptions, source string) (*config.Import, error) {
	attr := "model"
	if o.Stage.Kind == "trainer" {
		attr = "start"
	}
	own := o.Stage.Import
	if own != nil && filepath.Clean(own.Path) != filepath.Clean(o.Path) {
		if d, err := digestOf(own.Path); err != nil || d != source {
			return nil, fmt.Errorf("%s says %s = %q, which is another model than %s: change that line, or take it out, before it is imported", o.Stage.Addr, attr, own.Written, o.Written)
		}
	}
	return &config.Import{Attr: attr, Path: o.Path, Written: o.Written}, nil
}

// eventReason is what the record of the act says: what was imported, and why.
func eventReason(o ImportOptions, source string, i imported) string {
	known := source
	if what := i.what(); what != "" {
		known = what + ", " + source
	}
	text := fmt.Sprintf("%s from %s (%s)", o.Stage.Addr, o.Written, known)
	if o.Reason != "" {
		text += ": " + o.Reason
	}
	return text
}

// adoptByHand makes a model the base generator, with the act in the same transaction.
func (r *Runner) adoptByHand(ctx context.Context, a *plan.Action, model string, e state.Event) error {
	inputs := map[string]string{"model": model}
	j := &job{r: r, a: a, id: a.Identify(inputs), inputs: inputs, meter: r.meterFor(ctx, a)}
	res, err := j.adopt(ctx)
	if err != nil {
		return err
	}
	also := res.also
	res.also = func(tx *state.Tx, rec *state.ActionRecord) error {
		if err := also(tx, rec); err != nil {
			return err
		}
		return tx.AppendEvent(e)
	}
	if _, err := j.commit(ctx, res); err != nil {
		return err
	}
	if _, err := r.DB.RepairLinks(ctx); err != nil {
		return err
	}
	return r.writePipeline(ctx)
}

// Origin says what the base generator of a cycle was imported from; "": it was not.
func (r *Runner) Origin(ctx context.Context, cycle addr.Address) (text string, err error) {
	err = r.DB.View(ctx, func(tx *state.Tx) error {
		g, ok, err := tx.Generator(cycle, 1)
		if err != nil || !ok {
			return err
		}
		art, ok, err := tx.Artifact(g.Digest)
		if err != nil || !ok {
			return err
		}
		a, ok, err := tx.Action(art.MadeBy)
		if err != nil || !ok || a.Kind != string(plan.Import) {
			return err
		}
		var i imported
		if err := json.Unmarshal(a.Result, &i); err != nil {
			return fmt.Errorf("result of %s: %w", a.Address, err)
		}
		text = i.Path
		return nil
	})
	return text, err
}
