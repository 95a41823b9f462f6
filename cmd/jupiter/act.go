package main

import (
	"context"
	"errors"

	"jupiter/plan/config"
)

// actOptions are what every manual act takes.
type actOptions struct {
	targetOptions
	cycleOptions
	lockOptions
	links bool // leave the links of the generators as they are: the act is about them
}

// act opens a project for a manual act: under the operation lock, with what a killed process left put right first.
func act(ctx context.Context, w *world, o *actOptions, name, arg string, do func(context.Context, *project, *config.Cycle) error) (err error) {
	p, err := open(ctx, w, &o.targetOptions, o.path(arg), access{write: true, lock: &o.lockOptions, name: "jupiter " + name})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	c, err := p.cycle(o.cycleOptions)
	if err != nil {
		return err
	}
	if !o.links {
		if _, err := p.db.Recover(ctx); err != nil {
			return err
		}
	}
	return do(ctx, p, c)
}
