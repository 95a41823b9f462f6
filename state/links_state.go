package state

import (
	"context"
	"path/filepath"
	"slices"

	"jupiter/plan/addr"
)

// Links returns the links of a cycle; false: Options.Links gives it none.
func (db *DB) Links(cycle addr.Address) (Links, bool) {
	dir, ok := db.o.Links[cycle]
	return Links{Dir: dir, Hook: db.hook}, ok
}

// RepairLinks makes the links of every cycle agree with the state and returns the paths that changed, in order. A
// promotion, a rollback and a release end with it.
func (db *DB) RepairLinks(ctx context.Context) ([]string, error) {
	var changed []string
	for _, cycle := range sortedAddresses(db.o.Links) {
		l, _ := db.Links(cycle)
		var targets map[uint64]string
		var current uint64
		err := db.View(ctx, func(tx *Tx) (err error) {
			targets, current, err = db.wantLinks(tx, cycle)
			return err
		})
		if err != nil {
			return changed, err
		}
		names, err := l.Repair(targets, current)
		for _, name := range names {
			changed = append(changed, filepath.Join(l.Dir, name))
		}
		if err != nil {
			return changed, err
		}
	}
	return changed, nil
}

// wantLinks is what the state says of a cycle's links: every version that is not released, and the current one.
func (db *DB) wantLinks(tx *Tx, cycle addr.Address) (map[uint64]string, uint64, error) {
	all, err := tx.Generators(cycle)
	if err != nil {
		return nil, 0, err
	}
	targets := map[uint64]string{}
	for _, g := range all {
		if g.Released {
			continue
		}
		if targets[g.Version], err = db.store.Path(g.Digest); err != nil {
			return nil, 0, err
		}
	}
	current, _, err := tx.Current(cycle)
	return targets, current, err
}

func sortedAddresses[V any](m map[addr.Address]V) []addr.Address {
	all := make([]addr.Address, 0, len(m))
	for a := range m {
		all = append(all, a)
	}
	slices.Sort(all)
	return all
}
