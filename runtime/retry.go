package runtime

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"jupiter/plugins/host"
)

// A plugin's fault may pass: its process died, it hung, or it says itself that another try may do. Then the action is tried
// again, from what it has saved, after a pause that grows. It is given up after maxTries tries that brought it no further,
// and after maxFaults in all: a run that is left alone for a week survives a fault now and then, and not one an hour.
const (
	maxTries   = 3
	maxFaults  = 20
	firstPause = time.Second
	pauseGrows = 4
)

// mayPass says whether another try of what failed so may do. What needs more than it may have would need it again.
func mayPass(err error) bool {
	var crash *host.Crash
	var said *host.StageError
	var never *hopeless
	switch {
	case errors.As(err, &never):
		return false
	case errors.As(err, &crash):
		return !crash.Again()
	case errors.As(err, &said):
		return said.MayPass()
	}
	return false
}

// repeat runs a job's executor until it succeeds, fails for good, or was tried often enough.
func (r *Runner) repeat(ctx context.Context, j *job) (*result, error) {
	pause, tries, before := firstPause, 1, j.progressed()
	for faults := 1; ; faults++ {
		res, err := j.try(ctx)
		if err == nil || !mayPass(err) || r.stopping.Load() || ctx.Err() != nil {
			return res, err
		}
		if now := j.progressed(); now != before {
			pause, tries, before = firstPause, 1, now
		}
		if tries == maxTries || faults == maxFaults {
			return nil, fmt.Errorf("%w\nit was tried %d times", err, faults)
		}
		tries++
		report := r.keepReport(j.a.Address, err)
		r.emit(Event{Type: Retried, Address: string(j.a.Address), Title: j.a.Title, Seconds: pause.Seconds(), Message: err.Error() + report})
		r.journal(ctx, "retried", j.a, err.Error())
		if err := r.wait(ctx, pause); err != nil {
			return nil, err
		}
		pause *= pauseGrows
		if err := j.again(); err != nil {
			return nil, err
		}
	}
}

// try runs a job's executor once. What it leaves of a call that it gives up ends with it.
func (j *job) try(ctx context.Context) (*result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	return executor(j.a.Kind)(j, ctx)
}

// wait waits, unless the run is asked to stop meanwhile.
func (r *Runner) wait(ctx context.Context, d time.Duration) error {
	end := time.NewTimer(d)
	defer end.Stop()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-end.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-look.C:
			if r.stopping.Load() {
				return ErrInterrupted
			}
		}
	}
}

// progressed is how far the job has come: what it has saved, and what it has learned to leave out.
func (j *job) progressed() uint64 {
	n := uint64(len(j.poison.out))
	if j.partial != nil {
		n += j.partial.Done
	}
	return n
}

// again clears away what a try has left that was not saved.
func (j *job) again() error {
	if err := j.cleanup(); err != nil {
		return err
	}
	j.dirsMu.Lock()
	j.dirs = nil
	j.dirsMu.Unlock()
	return os.MkdirAll(j.work, 0o755)
}
