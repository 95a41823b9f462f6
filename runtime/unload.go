package runtime

import (
	"context"

	"jupiter/plan"
	"jupiter/plan/config"
)

// unload frees the memory of models that an action is not about, before it begins: a teacher is not in memory while its
// student trains, nor the trainer's library while both are judged. What a machine needs is then what the largest action
// needs, and not the sum of all. It costs a plugin's start, and that its model is read again.
func (r *Runner) unload(ctx context.Context, a *plan.Action) {
	var used []string
	for _, s := range worksWith(a) {
		if st, err := r.Host.Stage(ctx, s.Kind, s.Type); err == nil { // else the action itself will say so
			used = append(used, st.Schema.Plugin)
		}
	}
	r.Host.Unload(used...)
}

// worksWith lists the stages that an action may ask something of.
func worksWith(a *plan.Action) (all []*config.Stage) {
	add := func(stages ...*config.Stage) {
		for _, s := range stages {
			if s != nil {
				all = append(all, s)
			}
		}
	}
	add(a.Stage)
	if j := a.Judges; j != nil {
		add(j.Runner, j.Exporter, j.Evaluator, j.Verifier)
	}
	if a.Cycle != nil && (a.Kind == plan.Measure || a.Kind == plan.Evaluate) {
		add(a.Cycle.Generator, a.Cycle.Successor)
	}
	return all
}
