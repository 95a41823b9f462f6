package state

import (
	"fmt"

	"jupiter/plan/addr"
)

// DeleteAction forgets the memo of an action. One that is not there is no error.
func (tx *Tx) DeleteAction(id string) error { return tx.del([]byte(id), bActions) }

// DestroyCycle forgets a cycle's generators, decisions and current version, with the pins that kept their bytes. Its
// looks stay: what the gate pool has shown of itself does not become unseen.
func (tx *Tx) DestroyCycle(cycle addr.Address) error {
	if !tx.write {
		return fmt.Errorf("destroy %s: %w", cycle, ErrReadOnly)
	}
	for _, digest := range tx.Pinned() {
		if err := tx.Unpin(digest, cycle); err != nil {
			return err
		}
	}
	looks, err := tx.Looks(cycle)
	if err != nil {
		return err
	}
	for _, l := range looks {
		l.Destroyed = true
		if err := put(tx, l, u64(l.K), bLooks, string(cycle)); err != nil {
			return err
		}
	}
	for _, bucket := range []string{bGenerators, bDecisions} {
		if tx.bucket(bucket, string(cycle)) == nil {
			continue
		}
		if err := tx.bucket(bucket).DeleteBucket([]byte(cycle)); err != nil {
			return fmt.Errorf("destroy %s: %w", cycle, err)
		}
		tx.dirty = true
	}
	return tx.del([]byte(cycle), bCurrent)
}
