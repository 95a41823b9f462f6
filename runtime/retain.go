package runtime

import (
	"context"
	"errors"
	"slices"
	"strings"

	"jupiter/plan"
	"jupiter/plan/config"
	"jupiter/state"
)

// retain removes checkpoints and exports that nothing needs any more. What stays: the checkpoints of the last
// keep_last_n_checkpoints windows, each generator of the history with its checkpoint (version 1 only while it is in use where always_keep_base_generator is false), what a
// rollback would set the student back to, and all that an unfinished action holds.
//
// The state forgets first and the bytes go after: a crash in between leaves bytes without an entry, which gc finds.
func (r *Runner) retain(ctx context.Context, c *config.Cycle) error {
	f, err := r.Facts(ctx, c.Addr)
	if err != nil || len(f.Decisions) == 0 {
		return err
	}
	keep := map[string]bool{f.Start(): true}
	for i, d := range f.Decisions {
		if uint64(len(f.Decisions)-i) <= c.KeepLastNCheckpoints {
			keep[d.Checkpoint], keep[d.Model] = true, true
		}
		if d.Promoted > 0 || d.Pending {
			keep[d.Checkpoint], keep[d.Model], keep[d.StartCheckpoint] = true, true, true
		}
	}
	keep[f.Decisions[0].Model] = true // the guard's reference where the base is no model of ours
	release := !c.AlwaysKeepBaseGenerator && f.Current > 1
	for _, g := range f.Generators {
		if !g.Released && !(release && g.Version == 1) {
			keep[g.Digest], keep[g.Checkpoint] = true, true
		}
	}
	var gone []string
	err = r.DB.Update(ctx, func(tx *state.Tx) error {
		if base := f.Generators[0]; release && !base.Released {
			if err := tx.ReleaseBase(c.Addr); err != nil {
				return err
			}
			if base.Checkpoint != "" {
				if err := tx.Unpin(base.Checkpoint, c.Addr); err != nil {
					return err
				}
			}
		}
		var err error
		if gone, err = doomed(tx, c, f, keep); err != nil || len(gone) == 0 {
			return err
		}
		return forget(tx, gone)
	})
	if err != nil {
		return err
	}
	for _, d := range gone {
		err = errors.Join(err, r.store().Remove(ctx, d))
	}
	return err
}

// doomed lists the checkpoints of decided windows, and their exports, that nothing keeps. Those of a window that is not
// decided yet are an unfinished selection's candidates and are not among them.
func doomed(tx *state.Tx, c *config.Cycle, f plan.Facts, keep map[string]bool) ([]string, error) {
	windows := map[string]bool{} // IDs of the training actions
	for _, d := range f.Decisions {
		windows[d.Inputs["train"]] = true
	}
	var exports []state.ActionRecord
	for a, err := range tx.Actions() {
		switch {
		case err != nil:
			return nil, err
		case c.Base != nil && a.Kind == string(plan.Train) && strings.HasPrefix(a.Address, string(c.Base.Addr)+"["):
			windows[a.ID] = true // version 1 is recorded, so its making is history
		case a.Kind == string(plan.Export):
			exports = append(exports, a)
		}
	}
	var out []string
	old := map[string]bool{} // checkpoints of decided windows, doomed or not
	for a, err := range tx.Artifacts() {
		if err != nil {
			return nil, err
		}
		if windows[a.MadeBy] {
			old[a.Digest] = true
			if !keep[a.Digest] {
				out = append(out, a.Digest)
			}
		}
	}
	for _, e := range exports {
		if d := e.Outputs["model"].Digest; old[e.Parts["input.checkpoint"]] && !keep[d] && e.Retained {
			out = append(out, d)
		}
	}
	unpinned := out[:0]
	for _, d := range out {
		pins, err := tx.Pins(d)
		if err != nil {
			return nil, err
		}
		if len(pins) == 0 {
			unpinned = append(unpinned, d)
		}
	}
	slices.Sort(unpinned)
	return slices.Compact(unpinned), nil
}

// forget drops artifacts from the state and marks the actions that gave them: they stay done.
func forget(tx *state.Tx, digests []string) error {
	gone := map[string]bool{}
	for _, d := range digests {
		gone[d] = true
	}
	var touched []state.ActionRecord
	for a, err := range tx.Actions() {
		if err != nil {
			return err
		}
		for _, o := range a.Outputs {
			if gone[o.Digest] && a.Retained {
				a.Retained = false
				touched = append(touched, a)
				break
			}
		}
	}
	for _, a := range touched {
		if err := tx.PutAction(a); err != nil {
			return err
		}
	}
	for _, d := range digests {
		if err := tx.DeleteArtifact(d); err != nil {
			return err
		}
	}
	return nil
}
