package runtime

import (
	"context"

	"jupiter/plan"
)

// Graph plans the next turn as Plan does, and draws it.
func (r *Runner) Graph(ctx context.Context) (*plan.Graph, error) {
	rec, err := r.recorded(ctx)
	if err != nil {
		return nil, err
	}
	if r.probe == nil {
		r.probe = newProbe(r)
	}
	return plan.MakeGraph(ctx, r.Config, rec, r.probe)
}
