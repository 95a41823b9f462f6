package runtime

import (
	"context"
	"errors"
	"fmt"
	"time"

	"jupiter/plan/addr"
	"jupiter/plan/config"
)

// LateError is a stage that took longer than its timeouts allow. What it had was saved: the next apply goes on from there.
type LateError struct {
	Address addr.Address
	Stage   *config.Stage
}

func (e *LateError) Error() string {
	rng := e.Stage.Attrs["timeouts.run"].Range
	return fmt.Sprintf("%s ran longer than timeouts.run = %s of %s (%s:%d); what it had is saved, and the next apply goes on from there",
		e.Address, e.Stage.Timeouts.Run, e.Stage.Addr, rng.Filename, rng.Start.Line)
}

// bounded runs a job for as long as its stage may. Then the run is asked to save, as it is when another stage fails.
func (r *Runner) bounded(ctx context.Context, j *job) (*result, error) {
	s := j.a.Stage
	if s == nil || s.Timeouts.Run == 0 {
		return r.repeat(ctx, j)
	}
	stopped := make(chan struct{})
	late := time.AfterFunc(s.Timeouts.Run, func() {
		defer close(stopped)
		r.late.CompareAndSwap(nil, &LateError{j.a.Address, s})
		r.Stop(ctx, "timeouts.run is over")
	})
	res, err := r.repeat(ctx, j)
	if !late.Stop() {
		<-stopped
	}
	return res, err
}

// grace is how long a stop may take: as long as the most patient stage of the configuration says; 0: the host's default.
func (r *Runner) grace() (d time.Duration) {
	for _, s := range r.Config.Stages {
		d = max(d, s.Timeouts.Stop)
	}
	return d
}

// outcomeOf turns the end of a run that was asked to stop into what stopped it.
func (r *Runner) outcomeOf(outcome Outcome, err error) (Outcome, error) {
	if !errors.Is(err, ErrInterrupted) {
		return outcome, err
	}
	if late := r.late.Load(); late != nil {
		return "", late
	}
	if spent := r.exhausted.Load(); spent != nil {
		return OutcomeBudget, spent
	}
	return OutcomeInterrupted, nil
}
