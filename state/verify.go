package state

import (
	"context"
	"errors"

	"jupiter/state/artifact"
)

// Faulty is a recorded artifact that is missing or damaged.
type Faulty struct {
	Digest    string   `json:"digest"`
	Condition string   `json:"condition"` // missing, damaged
	Size      int64    `json:"bytes"`     // as recorded
	Made      string   `json:"made_by"`   // address; "": not known any more
	NeededBy  []string `json:"needed_by"`
}

// VerifyArtifact reads an artifact's bytes; nil: they give its digest. What is found damaged is marked for Inspect, so that
// the next plan finds it too. It may run beside an apply: what a retention removed meanwhile is not faulty.
func (db *DB) VerifyArtifact(ctx context.Context, a Artifact) (*Faulty, error) {
	f := Faulty{Digest: a.Digest, Size: a.Size, NeededBy: []string{}}
	switch err := db.store.Verify(ctx, a.Digest); {
	case err == nil:
		return nil, nil
	case errors.Is(err, artifact.ErrMissing):
		f.Condition = artifact.Missing.String()
	case errors.Is(err, artifact.ErrDamaged):
		f.Condition = artifact.Damaged.String()
		if err := db.store.Suspect(a.Digest); err != nil {
			return nil, err
		}
	default:
		return nil, err
	}
	recorded := false
	err := db.View(ctx, func(tx *Tx) (err error) {
		if _, recorded, err = tx.Artifact(a.Digest); err != nil {
			return err
		}
		live, err := tx.Live()
		if err != nil {
			return err
		}
		f.NeededBy = append(f.NeededBy, live[a.Digest]...)
		act, _, err := tx.Action(a.MadeBy)
		f.Made = act.Address
		return err
	})
	if err != nil || !recorded {
		return nil, err
	}
	return &f, nil
}
