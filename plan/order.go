package plan

import (
	"slices"

	"github.com/hashicorp/hcl/v2"

	"jupiter/plan/addr"
	"jupiter/plan/lang"
)

// order links each action to those of the stages that its own stage depends_on, and, where there are such links or
// references, sorts the turn so that an action
// comes after all that it needs. What needs nothing of another keeps its place.
func (x *expander) order() error {
	of := map[addr.Address][]*Action{}
	linked := false
	for _, a := range *x.out {
		if a.Stage != nil {
			of[a.Stage.Addr] = append(of[a.Stage.Addr], a)
			linked = linked || len(a.Stage.DependsOn) > 0
		}
		linked = linked || len(a.Refs) > 0
	}
	if !linked {
		return nil
	}
	for _, a := range *x.out {
		if a.Stage == nil {
			continue
		}
		for _, d := range a.Stage.DependsOn {
			a.After = append(a.After, of[d]...)
		}
	}
	sorted := make([]*Action, 0, len(*x.out))
	state := map[*Action]int{} // 1: on the path, 2: placed
	var path []*Action
	var place func(a *Action) error
	place = func(a *Action) error {
		switch state[a] {
		case 2:
			return nil
		case 1:
			return loop(append(path, a))
		}
		state[a] = 1
		path = append(path, a)
		for _, n := range a.needs() {
			if err := place(n); err != nil {
				return err
			}
		}
		path = path[:len(path)-1]
		state[a] = 2
		sorted = append(sorted, a)
		return nil
	}
	for _, a := range *x.out {
		if err := place(a); err != nil {
			return err
		}
	}
	*x.out = sorted
	return nil
}

// loop says that following what actions need leads back to the last one of path.
func loop(path []*Action) error {
	last := path[len(path)-1]
	for path[0] != last {
		path = path[1:]
	}
	var names []string
	var rng hcl.Range
	for _, a := range path {
		names = append(names, string(a.Address))
		if a.Stage != nil && len(a.Stage.DependsOn) > 0 {
			rng = a.Stage.Attrs["depends_on"].Range
		}
		for _, p := range a.Parts {
			if slices.Contains(a.Refs, p.Value) && p.Range.Filename != "" {
				rng = p.Range
			}
		}
	}
	return &RefusedError{hcl.Diagnostics{lang.LoopDiagnostic(names, rng)}}
}
