package runtime

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"jupiter/runtime/gate"
	"jupiter/state"
)

// Evaluation is what both contestants of a decision answered on one split, and what they were judged by.
type Evaluation struct {
	Split     string
	Benchmark string            // digest of the items that were asked
	Judged    map[string]string // the parts of the evaluation's identity that are of judges and not of contestants
	Items     []gate.Item
}

// ErrNoItems says that the answers behind a decision are not there any more.
var ErrNoItems = errors.New("its answers are no longer stored")

// Evaluations reads the answers behind a decision: those on dev, and those on the gate pool where it was opened.
func (r *Runner) Evaluations(ctx context.Context, d *state.Decision) (all []Evaluation, err error) {
	for _, split := range []string{"dev", "gate"} {
		digest := d.Inputs[split]
		if digest == "" {
			continue
		}
		e, err := r.evaluation(ctx, split, digest)
		if err != nil {
			return nil, fmt.Errorf("answers on %s at epoch %d: %w", split, d.Epoch, err)
		}
		all = append(all, e)
	}
	return all, nil
}

func (r *Runner) evaluation(ctx context.Context, split, digest string) (e Evaluation, err error) {
	var rec state.ActionRecord
	known := false
	err = r.DB.View(ctx, func(tx *state.Tx) error {
		art, ok, err := tx.Artifact(digest)
		if err != nil || !ok {
			return err
		}
		rec, known, err = tx.Action(art.MadeBy)
		return err
	})
	if err != nil {
		return e, err
	}
	if !known || !r.has(digest) {
		return e, ErrNoItems
	}
	e = Evaluation{Split: split, Benchmark: rec.Parts["input.benchmark"], Judged: map[string]string{}}
	for name, value := range rec.Parts {
		if !strings.HasPrefix(name, "input.") {
			e.Judged[name] = value
		}
	}
	items, err := readLines[item](r.at(digest))
	if err != nil {
		return e, err
	}
	e.Items = gateItems(items)
	return e, nil
}
