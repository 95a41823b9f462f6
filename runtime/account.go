package runtime

import (
	"context"
	"io/fs"
	"path/filepath"

	"jupiter/plan"
	"jupiter/plan/config"
	"jupiter/state"
)

// meterFor is the meter of an action: part of what runs already, with the stage's budget.
func (r *Runner) meterFor(ctx context.Context, a *plan.Action) *meter {
	m := &meter{clock: r.Clock, parent: meterOf(ctx)}
	if s := a.Stage; s != nil && !s.Budget.IsZero() {
		m.bound = &bound{r: r, block: string(s.Addr), scope: "one run of " + string(a.Address), budget: s.Budget}
	}
	return m
}

// cycleMeter is the meter of a cycle in this apply, with what was approved for it.
func (r *Runner) cycleMeter(c *config.Cycle, e plan.Envelope) *meter {
	m := &meter{clock: r.Clock, parent: r.meter}
	for _, b := range e.Budgets {
		if b.Cycle == c.Name {
			m.bound = &bound{r: r, block: string(c.Addr), scope: "this apply", budget: b.Budget}
		}
	}
	return m
}

// metered runs an action and counts what it takes. Memory is measured where the action has the machine to itself: beside
// others it would be theirs as well.
func (j *job) metered(ctx context.Context, f func(context.Context)) {
	m := j.meter
	alone := heavy(j.a.Kind) && !m.within()
	if alone {
		m.alone = true
		j.r.unload(ctx, j.a)
		j.r.Host.ResetPeakMemory()
	}
	m.start()
	watchHours(m, func() { f(withMeter(ctx, m)) })
	m.stop()
	if bytes, ok := j.r.Host.PeakMemory(); ok && alone {
		m.memory(bytes)
	}
}

// within says whether a meter is that of something that an action does on the way, which is measured already.
func (m *meter) within() bool {
	for at := m.parent; at != nil; at = at.parent {
		if at.alone {
			return true
		}
	}
	return false
}

// fits says whether the disk budgets allow a file or directory into the store.
func (j *job) fits(path string) error {
	if !j.meter.bounded() {
		return nil
	}
	size, err := sizeOf(path)
	if err != nil {
		return err
	}
	if !j.meter.room(size) {
		return ErrInterrupted
	}
	return nil
}

// tookIn counts what the store did not have before.
func (j *job) tookIn(ctx context.Context, digest string, size int64) error {
	return j.r.DB.View(ctx, func(tx *state.Tx) error {
		_, known, err := tx.Artifact(digest)
		if err == nil && !known {
			j.meter.disk(size)
		}
		return err
	})
}

func sizeOf(path string) (size int64, err error) {
	err = filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		size += info.Size()
		return nil
	})
	return size, err
}

// soFar records what the run has used, so that a run that is killed has it too.
func (r *Runner) soFar(tx *state.Tx) error {
	if r.run == "" {
		return nil
	}
	run, ok, err := tx.Run(r.run)
	if err != nil || !ok {
		return err
	}
	run.Actual = r.meter.usage()
	return tx.PutRun(run)
}
