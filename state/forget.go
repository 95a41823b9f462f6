package state

import (
	"fmt"
	"slices"

	"jupiter/plan/addr"
)

// Forgotten is what Forget let go of.
type Forgotten struct {
	Addresses []addr.Address `json:"addresses"` // in order
	Actions   int            `json:"actions"`   // memos
	Partials  int            `json:"partials"`
}

// Forget lets go of what is recorded at addresses, so that the next plan does it again: the last result, every memo, and
// what an unfinished try left. An address stands for itself and its instances, a module for all in it. Artifacts stay
// until a gc. Two addresses may share one piece of work; the other one then forgets it too.
//
// The history of a cycle is not forgotten by this: ErrHistory; see DestroyCycle. ErrNotFound: nothing is recorded at an
// address.
func (tx *Tx) Forget(at ...addr.Address) (Forgotten, error) {
	gone := Forgotten{Addresses: []addr.Address{}}
	if !tx.write {
		return gone, fmt.Errorf("forget: %w", ErrReadOnly)
	}
	known, err := tx.Under(at...)
	if err != nil {
		return gone, err
	}
	if cycles := tx.Histories(at...); len(cycles) > 0 {
		return gone, fmt.Errorf("forget %s: %w: it has generators and decisions", cycles[0], ErrHistory)
	}
	for _, base := range at {
		if err := forgettable(base, known); err != nil {
			return gone, err
		}
	}
	chosen := func(a addr.Address) bool {
		return slices.ContainsFunc(at, func(base addr.Address) bool { return standsFor(base, a) })
	}
	if err := tx.forgetMemos(chosen, &gone); err != nil {
		return gone, err
	}
	for p, err := range tx.Partials() {
		if err != nil {
			return gone, err
		}
		if !chosen(addr.Address(p.Address)) {
			continue
		}
		if err := tx.DeletePartial(p.Lineage); err != nil {
			return gone, err
		}
		gone.Partials++
		gone.Addresses = append(gone.Addresses, addr.Address(p.Address))
	}
	slices.Sort(gone.Addresses)
	gone.Addresses = slices.Compact(gone.Addresses)
	return gone, nil
}

// forgetMemos removes the memos of chosen addresses, those that are their last results, and every stage whose action goes
// (M4).
func (tx *Tx) forgetMemos(chosen func(addr.Address) bool, gone *Forgotten) error {
	last := map[addr.Address]string{}
	doomed := map[string]bool{}
	for _, a := range tx.Stages() {
		s, _, err := tx.Stage(a)
		if err != nil {
			return err
		}
		last[a] = s.Action
		doomed[s.Action] = doomed[s.Action] || chosen(a)
	}
	for a, err := range tx.Actions() {
		if err != nil {
			return err
		}
		if !doomed[a.ID] && !chosen(addr.Address(a.Address)) {
			continue
		}
		doomed[a.ID] = true
		if err := tx.del([]byte(a.ID), bActions); err != nil {
			return err
		}
		gone.Actions++
		gone.Addresses = append(gone.Addresses, addr.Address(a.Address))
	}
	for _, a := range sortedAddresses(last) {
		if !doomed[last[a]] {
			continue
		}
		if err := tx.DeleteStage(a); err != nil {
			return err
		}
		gone.Addresses = append(gone.Addresses, a)
	}
	return nil
}

// forgettable fails where base stands for nothing that is recorded.
func forgettable(base addr.Address, known []addr.Address) error {
	found := false
	var parts []addr.Address
	for _, a := range known {
		switch {
		case !a.Under(base):
		case !standsFor(base, a):
			parts = append(parts, a)
		default:
			found = true
		}
	}
	switch {
	case found:
		return nil
	case len(parts) > 0:
		return fmt.Errorf("forget %s: %w; below it there is %s", base, ErrNotFound, parts)
	}
	return fmt.Errorf("forget %s: %w", base, ErrNotFound)
}

// standsFor reports whether base, as a user names it, means a: the address itself, an instance of it, or anything in the
// module that it is.
func standsFor(base, a addr.Address) bool {
	if a == base || !a.Under(base) {
		return a == base
	}
	return blockKind(base) == "module" || a[len(base)] == '[' && afterName(string(a[len(base):])) == ""
}
