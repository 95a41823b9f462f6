package runtime

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"jupiter/plan"
	"jupiter/plan/addr"
	"jupiter/state"
	"jupiter/state/artifact"
)

// ErrLost says that something which a cycle's next turn begins with is gone or damaged, and that no apply makes it again.
var ErrLost = errors.New("the next turn cannot begin")

// drift lists what was changed outside of Jupiter: links of generators, and what the plan found in its own lines and in
// the history.
func (r *Runner) drift(ctx context.Context, p *plan.Plan, rec *recorded) ([]plan.Drift, error) {
	links, err := r.DB.LinkDrift(ctx)
	if err != nil {
		return nil, err
	}
	var all []plan.Drift
	moving := map[addr.Address]bool{} // links follow once the names do
	for _, m := range p.Moves {
		moving[m.From], moving[m.To] = true, true
	}
	for _, l := range links {
		if moving[l.Cycle] || p.Options.Destroy {
			continue
		}
		d := plan.Drift{Kind: plan.LinkDrift, Address: l.Cycle, Name: l.Path, Detail: l.String(), Fix: plan.FixRepair, Remedy: "It is set right.", Version: l.Version}
		if l.Version != 0 && l.Want != "" && filepath.Base(l.Path) == "current" {
			d.Remedy = "It is set right; who means it types jupiter adopt before."
		}
		if rel, err := filepath.Rel(r.Config.Dir, l.Path); err == nil {
			d.Name = filepath.ToSlash(rel)
		}
		switch {
		case l.Foreign && l.Want == "" && !l.Dir:
			d.Fix, d.Blocks, d.Remedy = plan.FixPerson, true, "Move it away."
		case l.Foreign:
			d.Fix, d.Blocks, d.Remedy = plan.FixPerson, true, "Move it away; the next apply makes what should be there."
		case l.Want == "":
			d.Remedy = "The link is removed."
		}
		all = append(all, d)
	}
	more, err := plan.FindDrift(p, r.Config, rec)
	return append(all, more...), err
}

// repairLinks makes the links of all generators follow the state, and says which did not.
func (r *Runner) repairLinks(ctx context.Context) error {
	links, err := r.DB.RepairLinks(ctx)
	for _, path := range links {
		if rel, err := filepath.Rel(r.Config.Dir, path); err == nil {
			path = filepath.ToSlash(rel)
		}
		r.emit(Event{Type: Repaired, Message: "the link " + path + " follows the state again"})
	}
	return err
}

// settleDrift deals with what a plan found changed and no line of it puts right. It reports whether it has changed
// something, so that the plan has to be made again. Links are set right before.
func (r *Runner) settleDrift(ctx context.Context, p *plan.Plan) (bool, error) {
	if err := Blocked(p); err != nil {
		return false, err
	}
	changed := false
	for _, d := range p.Drift {
		if d.Kind != plan.ArtifactDrift || d.Fix != plan.FixRepair {
			continue
		}
		if err := r.exportAgain(ctx, d); err != nil {
			return changed, fmt.Errorf("%s: export generator_v%d again: %w", d.Address, d.Version, err)
		}
		changed = true
		r.emit(Event{Type: Repaired, Cycle: r.cycle(d.Address).Name, Address: string(d.Address), Version: d.Version,
			Message: fmt.Sprintf("the model of generator_v%d was exported again from its checkpoint", d.Version)})
	}
	return changed, nil
}

// Blocked fails with ErrLost where a plan found something changed that keeps a cycle's next turn from running.
func Blocked(p *plan.Plan) error {
	var lost []string
	for _, d := range p.Drift {
		where := string(d.Address) + ":"
		if d.Kind == plan.LinkDrift {
			where = d.Name
		}
		if d.Blocks {
			lost = append(lost, fmt.Sprintf("%s %s. %s", where, d.Detail, d.Remedy))
		}
	}
	if len(lost) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrLost, strings.Join(lost, " "))
}

// exportAgain gives a generator its model back.
func (r *Runner) exportAgain(ctx context.Context, d plan.Drift) error {
	rec, err := r.recorded(ctx)
	if err != nil {
		return err
	}
	found := false
	for _, g := range rec.Facts(d.Address).Generators {
		if g.Version != d.Version {
			continue
		}
		found = true
		a, err := plan.ExportAgain(r.cycle(d.Address), g, rec)
		if err != nil {
			return err
		}
		if a == nil {
			return errors.New("its checkpoint or its exporter is no longer what it was")
		}
		inputs, _ := a.Resolve(nil)
		out, err := r.do(ctx, a, inputs)
		if err != nil {
			return err
		}
		if got := out.Outputs["model"].Digest; got != g.Digest {
			return fmt.Errorf("the exporter gave other bytes this time (%s, not %s); put the model back from a copy of the project, or roll back", got, g.Digest)
		}
	}
	if !found {
		return errors.New("there is no such generator")
	}
	return nil
}

// whole says whether each of some artifacts is there and is what it was.
func (r *Runner) whole(ctx context.Context, digests ...string) (bool, error) {
	for _, d := range digests {
		how, err := r.store().Inspect(ctx, d)
		if err != nil || how != artifact.Present {
			return false, err
		}
	}
	return true, nil
}

// dropReplaced forgets what an action gave before it had to run again, where it gave something else this time and nothing
// needs the old: its record would name bytes that are not there. It returns the digests to remove.
func dropReplaced(tx *state.Tx, was, now *state.ActionRecord) ([]string, error) {
	if was == nil {
		return nil, nil
	}
	kept := map[string]bool{}
	for _, o := range now.Outputs {
		kept[o.Digest] = true
	}
	var gone []string
	for _, name := range slices.Sorted(maps.Keys(was.Outputs)) {
		if d := was.Outputs[name].Digest; !kept[d] {
			kept[d] = true
			gone = append(gone, d)
		}
	}
	if len(gone) == 0 {
		return nil, nil
	}
	live, err := tx.Live()
	if err != nil {
		return nil, err
	}
	var dropped []string
	for _, d := range gone {
		if live[d] != nil {
			continue
		}
		if err := tx.DeleteArtifact(d); err != nil {
			return nil, err
		}
		dropped = append(dropped, d)
	}
	return dropped, nil
}
