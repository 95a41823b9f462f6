package runtime

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"jupiter/plan"
	"jupiter/plan/addr"
	"jupiter/state"
)

// Past is a generator of a cycle's history with what is on record of how it came about.
type Past struct {
	Generator state.Generator
	Path      string           // the model, to be read and not to be written
	Base      *state.Generator // generator_v1
	Origin    string           // what that was imported from; "": it was not
	Decision  *state.Decision  // the promotion; nil for the base, and for one that a person put there
	Windows   []Window         // what was learnt from, first to last; none for what was imported
}

// Window is one window of a model's training.
type Window struct {
	Trainer string // address of the action
	Steps   string // 0-500
	Dataset string // digest of the records that the window drew from
	Real    string // digest of the domain's real records
}

// Past looks a version up; 0 is the one in use. Its bytes have been compared with its digest.
func (r *Runner) Past(ctx context.Context, cycle addr.Address, v uint64) (*Past, error) {
	f, err := r.Facts(ctx, cycle)
	if err != nil {
		return nil, err
	}
	if v == 0 {
		v = f.Current
	}
	g := versionOf(f, v)
	if g == nil {
		return nil, missing(v)
	}
	if g.MediaType != ModelMediaType {
		return nil, fmt.Errorf("generator_v%d is a model that %s reaches, and its parameters are not here", g.Version, g.Stage)
	}
	if whole, err := r.whole(ctx, g.Digest); err != nil {
		return nil, err
	} else if !whole {
		return nil, fmt.Errorf("the bytes of generator_v%d (%s) are gone or damaged; jupiter plan says what to do", g.Version, g.Digest)
	}
	p := &Past{Generator: *g, Path: r.at(g.Digest)}
	if p.Origin, err = r.Origin(ctx, cycle); err != nil {
		return nil, err
	}
	for i := range f.Generators {
		if f.Generators[i].Base {
			p.Base = &f.Generators[i]
			break
		}
	}
	for i := range f.Decisions {
		if f.Decisions[i].Promoted == g.Version {
			p.Decision = &f.Decisions[i]
		}
	}
	if p.Windows, err = r.windows(ctx, g.Checkpoint); err != nil {
		return nil, err
	}
	return p, nil
}

// missing says that there is no such version; 0 is the one in use.
func missing(v uint64) error {
	if v == 0 {
		return errors.New("there is no generator yet; jupiter apply makes one")
	}
	return fmt.Errorf("there is no generator_v%d; jupiter generators lists what there is", v)
}

// windows walks back from a checkpoint to where its training began, or to what retention has forgotten.
func (r *Runner) windows(ctx context.Context, checkpoint string) (all []Window, err error) {
	seen := map[string]bool{}
	err = r.DB.View(ctx, func(tx *state.Tx) error {
		for checkpoint != "" && !seen[checkpoint] {
			seen[checkpoint] = true
			art, ok, err := tx.Artifact(checkpoint)
			if err != nil || !ok {
				return err
			}
			a, ok, err := tx.Action(art.MadeBy)
			if err != nil || !ok || a.Kind != string(plan.Train) {
				return err
			}
			all = append(all, Window{a.Address, a.Parts["window"], a.Parts["input.dataset"], a.Parts["input.real"]})
			checkpoint = a.Parts["input.start"]
		}
		return nil
	})
	slices.Reverse(all)
	return all, err
}
