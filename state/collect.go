package state

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"jupiter/state/artifact"
)

// Collection is what Collect removed, or would remove.
type Collection struct {
	Artifacts []Collected      // in the order of their digests
	Aside     []artifact.Aside // damaged bytes that something good took the place of, or that nothing needs
	Bytes     int64            // of all of them
	Kept      int              // artifacts
}

// Collected is one artifact that nothing needs.
type Collected struct {
	Artifact        // what was recorded of it; only Digest, Tree and Size where nothing was
	Recorded bool   // false: a process was killed between the bytes and their record
	Made     string // address that made it; "": not known any more
}

// Collect removes every artifact that nothing needs (see Live): first the records, in one transaction, then the bytes
// (M12). With dryRun it only looks. The caller holds the operation lock, so that nothing is being made.
func (db *DB) Collect(ctx context.Context, dryRun bool) (Collection, error) {
	var c Collection
	var live map[string][]string
	records := map[string]Collected{}
	look := func(tx *Tx) (err error) {
		live, err = tx.Live()
		if err != nil {
			return err
		}
		for a, err := range tx.Artifacts() {
			if err != nil {
				return err
			}
			if live[a.Digest] != nil {
				continue
			}
			act, _, err := tx.Action(a.MadeBy)
			if err != nil {
				return err
			}
			records[a.Digest] = Collected{Artifact: a, Recorded: true, Made: act.Address}
		}
		if dryRun {
			return nil
		}
		for _, digest := range sorted(records) {
			if err := tx.DeleteArtifact(digest); err != nil {
				return err
			}
		}
		return nil
	}
	run := db.Update
	if dryRun {
		run = db.View
	}
	if err := run(ctx, look); err != nil {
		return c, fmt.Errorf("collect: %w", err)
	}
	gone, err := db.store.GC(ctx, func(digest string) bool { return live[digest] != nil }, dryRun)
	c.Kept = gone.Kept
	for _, info := range gone.Removed {
		one, ok := records[info.Digest]
		if !ok {
			one.Artifact = Artifact{Digest: info.Digest, Tree: info.Tree}
		}
		one.Size = info.Size // what it takes, whatever was recorded
		delete(records, info.Digest)
		c.Artifacts, c.Bytes = append(c.Artifacts, one), c.Bytes+info.Size
	}
	if err != nil {
		return c, fmt.Errorf("collect: %w", err)
	}
	for _, digest := range sorted(records) { // recorded, and their bytes were gone already
		one := records[digest]
		one.Size = 0
		c.Artifacts = append(c.Artifacts, one)
	}
	slices.SortFunc(c.Artifacts, func(a, b Collected) int { return strings.Compare(a.Digest, b.Digest) })
	return c, db.collectAside(ctx, &c, live, dryRun)
}

// collectAside removes damaged bytes whose artifact is there again, or needed by nothing. Others may be all that is left
// of a model.
func (db *DB) collectAside(ctx context.Context, c *Collection, live map[string][]string, dryRun bool) error {
	aside, err := db.store.Aside()
	if err != nil {
		return err
	}
	for _, a := range aside {
		if live[a.Digest] != nil {
			if how, err := db.store.Inspect(ctx, a.Digest); err != nil {
				return err
			} else if how != artifact.Present {
				continue
			}
		}
		if !dryRun {
			if err := db.store.RemoveAside(a); err != nil {
				return err
			}
		}
		c.Aside, c.Bytes = append(c.Aside, a), c.Bytes+a.Bytes
	}
	return nil
}
