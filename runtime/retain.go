package runtime

import (
	"context"
	"errors"

	"jupiter/plan/config"
	"jupiter/plugins/sdk"
	"jupiter/state"
)

// retain removes checkpoints and exports that nothing needs any more. What stays: the checkpoints of the last
// keep_last_n_checkpoints windows, each generator of the history with its checkpoint (version 1 is never deleted), what a
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
	for _, g := range f.Generators {
		keep[g.Digest], keep[g.Checkpoint] = true, true
	}
	var gone []string
	err = r.DB.Update(ctx, func(tx *state.Tx) error {
		gone = nil
		doomed, err := doomed(tx, keep)
		if err != nil || len(doomed) == 0 {
			return err
		}
		gone = doomed
		return forget(tx, doomed)
	})
	if err != nil {
		return err
	}
	for _, d := range gone {
		err = errors.Join(err, r.store().Remove(ctx, d))
	}
	return err
}

// doomed lists the checkpoints and models that nothing keeps. Other cycles' pins and all partial results are respected.
func doomed(tx *state.Tx, keep map[string]bool) ([]string, error) {
	for p, err := range tx.Partials() {
		if err != nil {
			return nil, err
		}
		keep[p.Checkpoint] = true
		for _, s := range p.Shards {
			keep[s] = true
		}
	}
	// Checkpoints of a window that is not decided yet are an unfinished selection's candidates.
	var out []string
	for a, err := range tx.Artifacts() {
		if err != nil {
			return nil, err
		}
		if keep[a.Digest] || a.MediaType != sdk.CheckpointMediaType && a.MediaType != ModelMediaType {
			continue
		}
		pins, err := tx.Pins(a.Digest)
		if err != nil {
			return nil, err
		}
		if len(pins) == 0 {
			out = append(out, a.Digest)
		}
	}
	return out, nil
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
