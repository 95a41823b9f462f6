package state

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"go.etcd.io/bbolt"
)

// migration brings the file from one format to the next. It works on raw buckets: the record types are those of the
// newest format. A released migration is never edited, and testdata keeps a file of each released format.
type migration struct {
	from uint64 // the step leads to from+1
	run  func(*bbolt.Tx) error
}

// migrations lists the step from each released format to its successor. Format 1 is the first.
func migrations() []migration { return nil }

// Migrate brings an older format up to date: a backup first, then all steps in one transaction. It does nothing for a
// state of today's format, or none. A newer one is ErrNewer.
func (db *DB) Migrate(ctx context.Context) error {
	if ok, err := db.Exists(); !ok || err != nil {
		return err
	}
	err := db.Update(ctx, func(*Tx) error { return nil }) // Update migrates
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// migrate runs the steps from the format have. Nothing is kept of it when one fails.
func (db *DB) migrate(ctx context.Context, have uint64) error {
	path, err := db.backupNow(ctx)
	if err != nil {
		return fmt.Errorf("back up before migrating: %w", err)
	}
	return db.guard(func(s *session) error {
		if err := db.open(ctx, s, true); err != nil {
			return err
		}
		if s.tx, err = s.bolt.Begin(true); err != nil {
			return err
		}
		if err := runMigrations(s.tx, have, db.format, db.steps); err != nil {
			return fmt.Errorf("migrate state from format %d (unchanged; its backup is %s): %w", have, path, err)
		}
		return db.commit(s, &Tx{b: s.tx, write: true, dirty: true, now: db.o.Clock})
	})
}

// runMigrations takes the file from format have to want, one step after another, and writes the new number.
func runMigrations(b *bbolt.Tx, have, want uint64, steps []migration) error {
	for ; have < want; have++ {
		step := stepFrom(steps, have)
		if step == nil {
			return fmt.Errorf("no way from format %d to %d", have, have+1)
		}
		if err := step(b); err != nil {
			return fmt.Errorf("from format %d to %d: %w", have, have+1, err)
		}
	}
	meta := b.Bucket([]byte(bMeta))
	if meta == nil {
		return errors.New("bucket meta is gone")
	}
	return meta.Put([]byte(kFormat), strconv.AppendUint(nil, want, 10))
}

func stepFrom(steps []migration, have uint64) func(*bbolt.Tx) error {
	for _, m := range steps {
		if m.from == have {
			return m.run
		}
	}
	return nil
}
