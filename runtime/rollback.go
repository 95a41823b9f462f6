package runtime

import (
	"context"
	"fmt"

	"jupiter/plan/addr"
	"jupiter/state"
)

// RollbackOptions say how far to go back.
type RollbackOptions struct {
	To          uint64 // the version to make current; 0: the newest before the one in use that was not withdrawn
	KeepStudent bool   // leave the student as it is
	Reason      string
}

// Rollback makes an earlier generator current again. All versions after it are withdrawn: their digests are
// quarantined, their samples leave the pool, and the student goes back to the checkpoint that it had before the first of
// them was promoted. The looks that they spent stay spent. It returns the version that is current now.
func (r *Runner) Rollback(ctx context.Context, cycle addr.Address, o RollbackOptions) (uint64, error) {
	f, err := r.Facts(ctx, cycle)
	if err != nil {
		return 0, err
	}
	if f.Current == 0 {
		return 0, fmt.Errorf("%s has no generator yet", cycle)
	}
	to := o.To
	if to == 0 {
		for _, g := range f.Generators {
			if g.Version < f.Current && !g.Withdrawn {
				to = g.Version
			}
		}
	}
	var target *state.Generator
	for i := range f.Generators {
		if f.Generators[i].Version == to {
			target = &f.Generators[i]
		}
	}
	switch {
	case to == 0:
		return 0, fmt.Errorf("%s: generator_v%d is the first, there is nothing to go back to", cycle, f.Current)
	case target == nil:
		return 0, fmt.Errorf("%s has no generator_v%d", cycle, to)
	case target.Withdrawn:
		return 0, fmt.Errorf("%s: generator_v%d was withdrawn%s", cycle, to, target.Because())
	case to >= f.Current:
		return 0, fmt.Errorf("%s: generator_v%d is in use; a rollback goes to an earlier one", cycle, f.Current)
	}
	if whole, err := r.whole(ctx, target.Digest); err != nil {
		return 0, err
	} else if !whole {
		return 0, fmt.Errorf("%s: the bytes of generator_v%d (%s) are gone or damaged", cycle, to, target.Digest)
	}

	e := state.Event{At: r.Clock(), Act: "rollback", Cycle: string(cycle), From: f.Current, To: to, Who: r.Who, Reason: o.Reason,
		Epoch: uint64(len(f.Decisions)), KeepStudent: o.KeepStudent}
	for _, d := range f.Decisions {
		if d.Promoted > to {
			e.Checkpoint = d.StartCheckpoint
			break
		}
	}
	err = r.DB.Update(ctx, func(tx *state.Tx) error {
		if err := tx.SetCurrent(cycle, to); err != nil {
			return err
		}
		for _, g := range f.Generators {
			if g.Version <= to || g.Withdrawn {
				continue
			}
			g.Withdrawn, g.WithdrawnBy, g.Reason = true, r.Who, o.Reason
			if err := tx.UpdateGenerator(cycle, g); err != nil {
				return err
			}
		}
		return tx.AppendEvent(e)
	})
	if err != nil {
		return 0, err
	}
	if _, err := r.DB.RepairLinks(ctx); err != nil {
		return 0, err
	}
	return to, r.writePipeline(ctx)
}
