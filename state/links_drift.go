package state

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"jupiter/plan/addr"
)

// LinkDrift is a link of a cycle's generators that does not follow the state: somebody moved it, or a process was killed
// between its transaction and the link.
type LinkDrift struct {
	Cycle   addr.Address
	Path    string // absolute
	Have    string // what it leads to; "": it is not there, or is no link
	Want    string // what it should lead to; "": it should not be there
	Version uint64 // the version whose model or link it leads to; 0: no version's
	Foreign bool   // something that is no link has its name: RepairLinks leaves it alone and fails
	Dir     bool   // Path is where the links should lie, and is no directory; Foreign too
}

// String says what is wrong, of a link that the reader knows the name of.
func (d LinkDrift) String() string {
	switch {
	case d.Dir:
		return "is no directory; the links of generators should lie in it"
	case d.Foreign && d.Want == "":
		return "is no link, and there is no such generator"
	case d.Foreign:
		return "is no link; it should lead to " + d.Want
	case d.Have == "":
		return "is gone; it should lead to " + d.Want
	}
	leads := "leads to " + d.Have
	if d.Version != 0 && d.Have != linkName(d.Version) {
		leads += fmt.Sprintf(" (generator v%d)", d.Version)
	}
	if d.Want == "" {
		return leads + "; there is no such generator"
	}
	return fmt.Sprintf("%s; it should lead to %s", leads, d.Want)
}

// LinkDrift lists the links of every cycle that do not follow the state, in order. RepairLinks sets them right.
func (db *DB) LinkDrift(ctx context.Context) ([]LinkDrift, error) {
	var all []LinkDrift
	for _, cycle := range sortedAddresses(db.o.Links) {
		l, _ := db.Links(cycle)
		err := db.View(ctx, func(tx *Tx) error {
			targets, current, err := db.wantLinks(tx, cycle)
			if err != nil {
				return err
			}
			wrong, err := l.wrong(targets, current)
			for _, w := range wrong {
				if strings.HasSuffix(w.name, ".tmp") {
					continue // left by a process that was killed; Sweep's business
				}
				all = append(all, LinkDrift{Cycle: cycle, Path: filepath.Join(l.Dir, w.name), Have: w.have, Want: w.want,
					Version: l.version(w.have, targets), Foreign: w.other, Dir: w.name == "."})
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("look at the links of %s: %w", cycle, err)
		}
	}
	return all, nil
}

// version is the version that a link's text leads to; 0: none.
func (l Links) version(to string, targets map[uint64]string) uint64 {
	if v, ok := linkVersion(to); ok {
		return v
	}
	var least uint64 // of two versions with one model the first, whatever the order of the map
	for v, target := range targets {
		if rel, err := l.relative(target); err == nil && rel == to && (least == 0 || v < least) {
			least = v
		}
	}
	return least
}
