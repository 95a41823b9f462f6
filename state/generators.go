package state

import (
	"fmt"
	"reflect"

	"jupiter/plan/addr"
)

// Generators returns a cycle's history, oldest first.
func (tx *Tx) Generators(cycle addr.Address) ([]Generator, error) {
	return collect[Generator](tx, bGenerators, string(cycle))
}

// Generator returns one version; false: there is none of this number.
func (tx *Tx) Generator(cycle addr.Address, version uint64) (Generator, bool, error) {
	return get[Generator](tx, u64(version), bGenerators, string(cycle))
}

// Cycles lists the cycles that have a generator, in order.
func (tx *Tx) Cycles() []addr.Address { return addresses(tx.names(false, bGenerators)) }

// AppendGenerator adds the next version to a cycle's history and pins its artifact for the cycle. The version must be
// one more than the last, and the first is the base and the only one (M6, M7). It does not become current by this.
func (tx *Tx) AppendGenerator(cycle addr.Address, g Generator) error {
	last, err := tx.last(bGenerators, string(cycle))
	if err != nil {
		return err
	}
	what := fmt.Sprintf("generator v%d of %s", g.Version, cycle)
	switch {
	case g.Version != last+1:
		return fmt.Errorf("%s: %w: the last is v%d", what, ErrHistory, last)
	case g.Base != (g.Version == 1):
		return fmt.Errorf("%s: %w: version 1 and no other is the base", what, ErrInvalid)
	case g.Base && g.Epoch != 0:
		return fmt.Errorf("%s: %w: no cycle promoted the base", what, ErrInvalid)
	case g.Withdrawn || g.Released:
		return fmt.Errorf("%s: %w: it begins withdrawn or released", what, ErrInvalid)
	}
	g.CreatedAt = tx.at(g.CreatedAt)
	if err := tx.Pin(g.Digest, cycle, pinned(g.Version)); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return put(tx, g, u64(g.Version), bGenerators, string(cycle))
}

func pinned(version uint64) string {
	if version == 1 {
		return "base generator (v1)"
	}
	return fmt.Sprintf("generator v%d", version)
}

// UpdateGenerator changes what may change of a version that is in the history: it may become withdrawn with its reason,
// and the base may get the score of its first evaluation. Anything else is ErrHistory. The current version cannot be
// withdrawn: make another current first.
func (tx *Tx) UpdateGenerator(cycle addr.Address, g Generator) error {
	have, ok, err := tx.Generator(cycle, g.Version)
	what := fmt.Sprintf("generator v%d of %s", g.Version, cycle)
	if err != nil {
		return err
	} else if !ok {
		return fmt.Errorf("%s: %w", what, ErrNotFound)
	}
	current, _, err := tx.Current(cycle)
	if err != nil {
		return err
	}
	if g.Withdrawn && current == g.Version {
		return fmt.Errorf("%s: %w: it is current", what, ErrInvalid)
	}
	want := have
	want.Withdrawn, want.WithdrawnBy, want.Reason = g.Withdrawn, g.WithdrawnBy, g.Reason
	if have.Base && have.Score == nil {
		want.Score = g.Score
	}
	g.CreatedAt = g.CreatedAt.UTC()
	if have.Withdrawn && !g.Withdrawn || !reflect.DeepEqual(want, g) {
		return fmt.Errorf("%s: %w", what, ErrHistory)
	}
	return put(tx, g, u64(g.Version), bGenerators, string(cycle))
}

// ReleaseGenerator lets retention remove a version's artifact: the cycle's pin goes, unless another version that is not
// released has the same content. The base is never released by this, nor the current version.
func (tx *Tx) ReleaseGenerator(cycle addr.Address, version uint64) error {
	if version == 1 {
		return fmt.Errorf("release generator v1 of %s: %w: it is the base", cycle, ErrPinned)
	}
	return tx.release(cycle, version)
}

// ReleaseBase is ReleaseGenerator for version 1. It is for a configuration that says always_keep_base_generator = false
// and for nothing else.
func (tx *Tx) ReleaseBase(cycle addr.Address) error { return tx.release(cycle, 1) }

func (tx *Tx) release(cycle addr.Address, version uint64) error {
	all, err := tx.Generators(cycle)
	if err != nil {
		return err
	}
	current, _, err := tx.Current(cycle)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("release generator v%d of %s", version, cycle)
	if version == 0 || version > uint64(len(all)) {
		return fmt.Errorf("%s: %w", what, ErrNotFound)
	}
	if version == current {
		return fmt.Errorf("%s: %w: it is current", what, ErrPinned)
	}
	g := &all[version-1]
	g.Released = true
	if err := put(tx, *g, u64(version), bGenerators, string(cycle)); err != nil {
		return err
	}
	for _, other := range all {
		if !other.Released && other.Digest == g.Digest {
			return tx.Pin(g.Digest, cycle, pinned(other.Version))
		}
	}
	return tx.Unpin(g.Digest, cycle)
}

// Current returns the version that generates for a cycle; false: none yet.
func (tx *Tx) Current(cycle addr.Address) (uint64, bool, error) {
	b := tx.bucket(bCurrent)
	if b == nil || cycle == "" {
		return 0, false, nil
	}
	raw := b.Get([]byte(cycle))
	if raw == nil {
		return 0, false, nil
	}
	n, ok := fromU64(raw)
	if !ok {
		return 0, false, damagedRecord([]string{bCurrent}, []byte(cycle), fmt.Errorf("%d bytes", len(raw)))
	}
	return n, true, nil
}

// SetCurrent makes a version generate for a cycle. It must be in the history, neither withdrawn nor released (M8).
func (tx *Tx) SetCurrent(cycle addr.Address, version uint64) error {
	g, ok, err := tx.Generator(cycle, version)
	what := fmt.Sprintf("make generator v%d of %s current", version, cycle)
	switch {
	case err != nil:
		return err
	case !ok:
		return fmt.Errorf("%s: %w", what, ErrNotFound)
	case g.Withdrawn:
		return fmt.Errorf("%s: %w: it was withdrawn: %s", what, ErrInvalid, g.Reason)
	case g.Released:
		return fmt.Errorf("%s: %w: its model was removed by retention", what, ErrInvalid)
	}
	return tx.putRaw(u64(version), []byte(cycle), bCurrent)
}
