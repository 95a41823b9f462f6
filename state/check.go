package state

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"jupiter/state/artifact"
)

// Violation is one sentence of docs/invariants.md that the state does not keep.
type Violation struct {
	Invariant string `json:"invariant"` // M1, S1 …: M must, S should
	Subject   string `json:"subject"`   // address, digest or path
	Detail    string `json:"detail"`
}

// Must reports whether the sentence is a must: the state is damaged. A should is put right by Recover or gc.
func (v Violation) Must() bool { return strings.HasPrefix(v.Invariant, "M") }

func (v Violation) String() string { return v.Invariant + " " + v.Subject + ": " + v.Detail }

// Check proves every invariant of docs/invariants.md but M11, which needs every byte: see CheckContents. It returns
// what is violated, in order; an error means that it could not look, or that the file is damaged as a whole (M16:
// ErrCorrupt). It may run beside an apply. Shoulds may then be violated for a moment.
func (db *DB) Check(ctx context.Context) ([]Violation, error) {
	var found []Violation
	var artifacts []Artifact
	db.forget() // M16: the pages are walked once more
	err := db.View(ctx, func(tx *Tx) error {
		if tx.b == nil {
			return nil
		}
		c := &checker{tx: tx}
		c.all()
		found, artifacts = c.found, c.list
		return nil
	})
	if err != nil {
		return nil, err
	}
	bytes, err := db.checkStore(ctx, artifacts)
	if err != nil {
		return nil, err
	}
	links, err := db.checkLinks(ctx)
	if err != nil {
		return nil, err
	}
	return slices.Concat(found, bytes, links), nil
}

// CheckContents reads the bytes of every recorded artifact and returns those that do not give their digest (M11).
func (db *DB) CheckContents(ctx context.Context) ([]Violation, error) {
	var digests []string
	err := db.View(ctx, func(tx *Tx) error {
		digests = tx.names(true, bArtifacts)
		return nil
	})
	if err != nil {
		return nil, err
	}
	var found []Violation
	for _, digest := range digests {
		switch err := db.store.Verify(ctx, digest); {
		case err == nil:
		case errors.Is(err, artifact.ErrDamaged), errors.Is(err, artifact.ErrMissing):
			found = append(found, Violation{"M11", digest, err.Error()})
		default:
			return nil, err
		}
	}
	return found, nil
}

// checkStore proves M2, and looks for bytes without a record (S2) and temporary files (S3).
func (db *DB) checkStore(ctx context.Context, artifacts []Artifact) ([]Violation, error) {
	var found []Violation
	known := map[string]bool{}
	for _, a := range artifacts {
		known[a.Digest] = true
		info, err := db.store.Stat(a.Digest)
		detail := ""
		switch {
		case errors.Is(err, artifact.ErrMissing), errors.Is(err, artifact.ErrDigest):
			detail = err.Error()
		case err != nil:
			return nil, err
		case info.Tree != a.Tree || info.Size != a.Size:
			detail = fmt.Sprintf("the store has %d bytes, the record says %d", info.Size, a.Size)
		}
		if detail == "" {
			continue
		}
		still, err := db.stillRecorded(ctx, a.Digest)
		if err != nil {
			return nil, err
		}
		if still {
			found = append(found, Violation{"M2", a.Digest, detail})
		}
	}
	all, err := db.store.Digests()
	if err != nil {
		return nil, err
	}
	for _, digest := range all {
		if !known[digest] {
			found = append(found, Violation{"S2", digest, "in the store without a record; gc removes it"})
		}
	}
	for _, pattern := range []string{
		filepath.Join(db.dir, tempPattern),
		filepath.Join(db.backupDir(), tempPattern),
		filepath.Join(db.store.Dir(), "tmp", "*"),
	} {
		left, err := filepath.Glob(pattern)
		if err != nil {
			return nil, err
		}
		for _, path := range left {
			found = append(found, Violation{"S3", path, "left by a process that was killed; the next apply removes it"})
		}
	}
	return found, nil
}

// stillRecorded looks again: a gc beside this check may have removed the record, and then the bytes.
func (db *DB) stillRecorded(ctx context.Context, digest string) (ok bool, err error) {
	err = db.View(ctx, func(tx *Tx) error {
		_, ok, err = tx.Artifact(digest)
		return err
	})
	return ok, err
}

// checkLinks proves S1.
func (db *DB) checkLinks(ctx context.Context) ([]Violation, error) {
	var found []Violation
	for _, cycle := range sortedAddresses(db.o.Links) {
		l, _ := db.Links(cycle)
		err := db.View(ctx, func(tx *Tx) error {
			targets, current, err := db.wantLinks(tx, cycle)
			if err != nil {
				return nil // a damaged record is a violation already
			}
			wrong, err := l.wrong(targets, current)
			for _, w := range wrong {
				found = append(found, Violation{"S1", filepath.Join(l.Dir, w.name), "does not follow the state"})
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}
