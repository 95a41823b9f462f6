package state

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"

	"jupiter/state/durable"
)

// tempPattern names files that become a state or a backup when they are complete. Recover deletes what is left.
const tempPattern = ".state-*.tmp"

// ensure makes an empty state where there is none. It is complete before it has its name: an empty or half-written
// state.db is always damage, never a beginning.
func (db *DB) ensure(ctx context.Context) error {
	if ok, err := db.Exists(); ok || err != nil {
		return err
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if err := durable.Mkdir(db.dir); err != nil {
		return fmt.Errorf("create state: %w", err)
	}
	temp, err := db.temp()
	if err != nil {
		return fmt.Errorf("create state: %w", db.explain(err))
	}
	defer os.Remove(temp)
	if err := db.build(temp); err != nil {
		return fmt.Errorf("create state: %w", db.explain(err))
	}
	// A link, not a rename: it fails where another process was first.
	if err := os.Link(temp, db.Path()); errors.Is(err, fs.ErrExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("create state: %w", err)
	}
	db.hook("state.create")
	return durable.Sync(db.dir)
}

// temp makes an empty temporary file beside the state.
func (db *DB) temp() (string, error) {
	f, err := os.CreateTemp(db.dir, tempPattern)
	if err != nil {
		return "", err
	}
	return f.Name(), f.Close()
}

// build writes an empty state to a file of no bytes.
func (db *DB) build(path string) error {
	bolt, err := bbolt.Open(path, 0o600, &bbolt.Options{NoStatistics: true})
	if err != nil {
		return err
	}
	err = bolt.Update(func(b *bbolt.Tx) error {
		tx := &Tx{b: b, write: true, now: db.o.Clock}
		return tx.found(db.format, db.o.Random)
	})
	return errors.Join(err, bolt.Close())
}

// sweepTemps deletes temporary files of killed processes and returns how many there were.
func (db *DB) sweepTemps() (int, error) {
	left := 0
	for _, dir := range []string{db.dir, db.backupDir()} {
		names, err := filepath.Glob(filepath.Join(dir, tempPattern))
		if err != nil {
			return left, err
		}
		for _, name := range names {
			if err := durable.Remove(name); err != nil {
				return left, fmt.Errorf("sweep state: %w", err)
			}
			left++
		}
	}
	return left, nil
}
