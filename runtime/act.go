package runtime

import (
	"context"
	"fmt"

	"jupiter/plan"
	"jupiter/plan/addr"
	"jupiter/state"
)

// Pin holds a cycle at a version of its generator, which becomes the one in use: nothing is promoted until the pin is
// released. 0 is the version in use.
func (r *Runner) Pin(ctx context.Context, cycle addr.Address, version uint64, reason string) (uint64, error) {
	return r.switchTo(ctx, cycle, "pin", version, reason)
}

// Adopt makes a version of the history the one in use, without a decision of the gate. The student stays as it is, and
// no version is withdrawn.
func (r *Runner) Adopt(ctx context.Context, cycle addr.Address, version uint64, reason string) error {
	f, err := r.Facts(ctx, cycle)
	if err != nil {
		return err
	}
	if f.Current == version {
		return fmt.Errorf("%s: generator_v%d is in use already", cycle, version)
	}
	_, err = r.switchTo(ctx, cycle, "adopt", version, reason)
	return err
}

func (r *Runner) switchTo(ctx context.Context, cycle addr.Address, act string, version uint64, reason string) (uint64, error) {
	f, err := r.Facts(ctx, cycle)
	if err != nil {
		return 0, err
	}
	if f.Current == 0 {
		return 0, fmt.Errorf("%s has no generator yet", cycle)
	}
	if version == 0 {
		version = f.Current
	}
	g := versionOf(f, version)
	switch {
	case g == nil:
		return 0, fmt.Errorf("%s has no generator_v%d", cycle, version)
	case g.Withdrawn:
		return 0, fmt.Errorf("%s: generator_v%d was withdrawn%s", cycle, version, g.Because())
	}
	if whole, err := r.whole(ctx, g.Digest); err != nil {
		return 0, err
	} else if !whole {
		return 0, fmt.Errorf("%s: the bytes of generator_v%d (%s) are gone or damaged", cycle, version, g.Digest)
	}
	err = r.DB.Update(ctx, func(tx *state.Tx) error {
		if err := tx.SetCurrent(cycle, version); err != nil {
			return err
		}
		return tx.AppendEvent(state.Event{At: r.Clock(), Act: act, Cycle: string(cycle), From: f.Current, To: version, Who: r.Who, Reason: reason, Epoch: uint64(len(f.Decisions))})
	})
	return version, r.afterAct(ctx, err)
}

// Unpin releases what Pin holds. It returns the version that was held.
func (r *Runner) Unpin(ctx context.Context, cycle addr.Address, reason string) (uint64, error) {
	f, err := r.Facts(ctx, cycle)
	if err != nil {
		return 0, err
	}
	held := f.PinnedByHand()
	if held == 0 {
		return 0, fmt.Errorf("%s: no generator was pinned by hand", cycle)
	}
	err = r.DB.Update(ctx, func(tx *state.Tx) error {
		return tx.AppendEvent(state.Event{At: r.Clock(), Act: "unpin", Cycle: string(cycle), From: held, To: f.Current, Who: r.Who, Reason: reason, Epoch: uint64(len(f.Decisions))})
	})
	return held, r.afterAct(ctx, err)
}

// Quarantine withdraws a version that is not in use: its samples leave the pool, and it cannot become the one in use.
func (r *Runner) Quarantine(ctx context.Context, cycle addr.Address, version uint64, reason string) error {
	f, err := r.Facts(ctx, cycle)
	if err != nil {
		return err
	}
	g := versionOf(f, version)
	switch {
	case g == nil:
		return fmt.Errorf("%s has no generator_v%d", cycle, version)
	case g.Withdrawn:
		return fmt.Errorf("%s: generator_v%d is withdrawn already%s", cycle, version, g.Because())
	case version == f.Current:
		return fmt.Errorf("%s: generator_v%d is in use; jupiter rollback goes back to an earlier one and withdraws it", cycle, version)
	}
	err = r.DB.Update(ctx, func(tx *state.Tx) error {
		g.Withdrawn, g.WithdrawnBy, g.Reason = true, r.Who, reason
		if err := tx.UpdateGenerator(cycle, *g); err != nil {
			return err
		}
		return tx.AppendEvent(state.Event{At: r.Clock(), Act: "quarantine", Cycle: string(cycle), From: version, To: version, Who: r.Who, Reason: reason, Epoch: uint64(len(f.Decisions))})
	})
	return r.afterAct(ctx, err)
}

// afterAct brings the links and pipeline_state.json up to date with a manual act.
func (r *Runner) afterAct(ctx context.Context, err error) error {
	if err != nil {
		return err
	}
	if _, err := r.DB.RepairLinks(ctx); err != nil {
		return err
	}
	return r.writePipeline(ctx)
}

func versionOf(f plan.Facts, version uint64) *state.Generator {
	for i := range f.Generators {
		if f.Generators[i].Version == version {
			return &f.Generators[i]
		}
	}
	return nil
}
