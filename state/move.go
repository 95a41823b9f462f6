package state

import (
	"fmt"
	"slices"

	"jupiter/plan/addr"
)

// Move renames an address: a stage with its actions and its progress, or a cycle with its history, its current version
// and its pins. Nothing may be recorded under the new name. ErrNotFound: nothing is under the old one. Actions keep
// their IDs, so what was done stays done.
func (tx *Tx) Move(from, to addr.Address) error {
	if !tx.write {
		return fmt.Errorf("move %s: %w", from, ErrReadOnly)
	}
	if from == "" || to == "" || from == to {
		return fmt.Errorf("move %q to %q: %w", from, to, ErrInvalid)
	}
	if tx.known(to) {
		return fmt.Errorf("move %s: %w: %s is recorded", from, ErrInvalid, to)
	}
	found := tx.known(from)
	if s, ok, err := tx.Stage(from); err != nil {
		return err
	} else if ok {
		if err := put(tx, s, []byte(to), bStages); err != nil {
			return err
		}
		if err := tx.del([]byte(from), bStages); err != nil {
			return err
		}
	}
	moved, err := tx.moveMemos(from, to)
	if err != nil {
		return err
	}
	if !found && !moved {
		return fmt.Errorf("move %s: %w", from, ErrNotFound)
	}
	return tx.moveCycle(from, to)
}

// known reports whether a is a key of the stages or a cycle.
func (tx *Tx) known(a addr.Address) bool {
	return slices.Contains(tx.Stages(), a) || slices.Contains(tx.Cycles(), a) ||
		slices.Contains(tx.DecidedCycles(), a) || slices.Contains(tx.LookedCycles(), a)
}

// moveMemos renames the address that actions and partials carry.
func (tx *Tx) moveMemos(from, to addr.Address) (moved bool, err error) {
	for a, err := range tx.Actions() {
		if err != nil {
			return moved, err
		}
		if a.Address != string(from) {
			continue
		}
		moved, a.Address = true, string(to)
		if err := put(tx, a, []byte(a.ID), bActions); err != nil {
			return moved, err
		}
	}
	for p, err := range tx.Partials() {
		if err != nil {
			return moved, err
		}
		if p.Address != string(from) {
			continue
		}
		moved, p.Address = true, string(to)
		if err := put(tx, p, []byte(p.Lineage), bPartials); err != nil {
			return moved, err
		}
	}
	return moved, nil
}

func (tx *Tx) moveCycle(from, to addr.Address) error {
	for e, err := range tx.Events() {
		if err != nil {
			return err
		}
		if e.Cycle != string(from) {
			continue
		}
		e.Cycle = string(to)
		if err := put(tx, e, u64(e.Seq), bEvents); err != nil {
			return err
		}
	}
	for _, bucket := range []string{bGenerators, bDecisions, bLooks} {
		if tx.bucket(bucket, string(from)) == nil {
			continue
		}
		if err := tx.moveBucket(bucket, string(from), string(to)); err != nil {
			return err
		}
	}
	if n, ok, err := tx.Current(from); err != nil {
		return err
	} else if ok {
		if err := tx.putRaw(u64(n), []byte(to), bCurrent); err != nil {
			return err
		}
		if err := tx.del([]byte(from), bCurrent); err != nil {
			return err
		}
	}
	for _, digest := range tx.Pinned() {
		p, ok, err := get[Pin](tx, []byte(from), bPins, digest)
		if err != nil {
			return err
		} else if !ok {
			continue
		}
		p.Address = string(to)
		if err := put(tx, p, []byte(to), bPins, digest); err != nil {
			return err
		}
		if err := tx.Unpin(digest, from); err != nil {
			return err
		}
	}
	return nil
}

// moveBucket gives a bucket of numbered records another name.
func (tx *Tx) moveBucket(bucket, from, to string) error {
	var err error
	walkBucket(tx, []string{bucket, from}, func(_ []string, key, raw []byte) {
		if err == nil {
			err = tx.putRaw(slices.Clone(raw), slices.Clone(key), bucket, to)
		}
	})
	if err != nil {
		return err
	}
	return tx.bucket(bucket).DeleteBucket([]byte(from))
}
