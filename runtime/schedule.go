package runtime

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"jupiter/plan"
	"jupiter/state"
)

// ErrInterrupted is what an action returns that was asked to stop and has saved what it had.
var ErrInterrupted = errors.New("interrupted; progress is saved")

type outputs = map[string]state.Output

// heavy says whether an action takes the whole machine. One of them runs at a time on a node.
func heavy(k plan.Kind) bool {
	switch k {
	case plan.Train, plan.Generate, plan.Select, plan.Measure, plan.Evaluate:
		return true
	}
	return false
}

// walk runs each action after those whose outputs it reads, as many at once as the runner allows. The first error starts
// nothing new, asks what runs to save, and is returned when all has ended. What was done is in the result either way.
func (r *Runner) walk(ctx context.Context, actions []*plan.Action, run func(context.Context, *plan.Action, map[*plan.Action]outputs) (outputs, error)) (map[*plan.Action]outputs, error) {
	type ended struct {
		a   *plan.Action
		out outputs
		err error
	}
	done := map[*plan.Action]outputs{}
	started := map[*plan.Action]bool{}
	ends := make(chan ended)
	running, busy := 0, false
	var first error

	ready := func(a *plan.Action) bool {
		for _, other := range a.After {
			if _, ok := done[other]; !ok && slices.Contains(actions, other) {
				return false
			}
		}
		for _, in := range a.Inputs {
			if in.From == nil {
				continue
			}
			if _, ok := done[in.From]; !ok {
				return false
			}
		}
		return true
	}
	for {
		if first == nil {
			for _, a := range actions {
				if started[a] || running >= max(r.Parallel, 1) || heavy(a.Kind) && busy || !ready(a) {
					continue
				}
				started[a] = true
				running++
				busy = busy || heavy(a.Kind)
				view := maps.Clone(done) // what it may read; done changes while it runs
				go func() {
					out, err := run(ctx, a, view)
					ends <- ended{a, out, err}
				}()
			}
		}
		if running == 0 {
			if first == nil && len(done) < len(actions) {
				first = fmt.Errorf("%d of %d actions can never start: an input of theirs is none of the plan's", len(actions)-len(done), len(actions))
			}
			return done, first
		}
		e := <-ends
		running--
		if heavy(e.a.Kind) {
			busy = false
		}
		if e.err != nil {
			if first == nil {
				first = e.err
				if running > 0 {
					r.Stop(ctx, "another stage failed")
				}
			}
			continue
		}
		done[e.a] = e.out
	}
}
