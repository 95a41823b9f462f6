package state

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"jupiter/plan/addr"
)

// Move renames one address: that of a stage with its actions and its progress, of a cycle with its history, its current
// version and its pins. The seals of a domain go with its benchmark. Nothing may be recorded under the new name.
// ErrNotFound: nothing is under the old one. Actions keep their IDs, so what was done stays done. Journals are not
// rewritten.
func (tx *Tx) Move(from, to addr.Address) error {
	return tx.move(from, to, func(a addr.Address) bool { return a == from })
}

// MoveAll renames an address and all that lies under it: a block with its parts and instances, or a whole module. It is
// Move else.
func (tx *Tx) MoveAll(from, to addr.Address) error {
	return tx.move(from, to, func(a addr.Address) bool { return a.Under(from) })
}

func (tx *Tx) move(from, to addr.Address, moves func(addr.Address) bool) error {
	if !tx.write {
		return fmt.Errorf("move %s: %w", from, ErrReadOnly)
	}
	switch a, b := blockKind(from), blockKind(to); {
	case from == "" || to == "":
		return fmt.Errorf("move %q to %q: %w", from, to, ErrInvalid)
	case from == to:
		return fmt.Errorf("move %s: %w: that is its address already", from, ErrInvalid)
	case a != b:
		return fmt.Errorf("move %s: %w: what is recorded of one kind (%s) cannot become another (%s)", from, ErrInvalid, a, b)
	}
	known, err := tx.addresses()
	if err != nil {
		return err
	}
	found := false
	for _, a := range slices.Sorted(maps.Keys(known)) {
		if !moves(a) {
			continue
		}
		found = true
		if next := a.Rebase(from, to); known[next] && !moves(next) {
			return fmt.Errorf("move %s: %w: %s is recorded", from, ErrInvalid, next)
		}
	}
	if !found {
		return fmt.Errorf("move %s: %w", from, ErrNotFound)
	}
	m := mover{tx, from, to, moves}
	for _, step := range []func() error{m.stages, m.memos, m.cycles, m.pins, m.events, m.seals} {
		if err := step(); err != nil {
			return fmt.Errorf("move %s: %w", from, err)
		}
	}
	return nil
}

// Under lists the addresses that something is recorded under and that lie at or below one of those given, in order.
func (tx *Tx) Under(bases ...addr.Address) ([]addr.Address, error) {
	known, err := tx.addresses()
	if err != nil {
		return nil, err
	}
	var all []addr.Address
	for _, a := range slices.Sorted(maps.Keys(known)) {
		if slices.ContainsFunc(bases, a.Under) {
			all = append(all, a)
		}
	}
	return all, nil
}

// Recorded reports whether something is recorded at an address as a person means it: at itself, at an instance of it, or
// in the module that it is.
func (tx *Tx) Recorded(at addr.Address) (bool, error) {
	known, err := tx.addresses()
	if err != nil {
		return false, err
	}
	for a := range known {
		if standsFor(at, a) {
			return true, nil
		}
	}
	return false, nil
}

// Histories lists the cycles at or below addresses, as a person means them, that have generators or decisions, in order.
// Looks alone are none: they outlive a history that was destroyed.
func (tx *Tx) Histories(at ...addr.Address) []addr.Address {
	all := slices.Concat(tx.Cycles(), tx.DecidedCycles(), addresses(tx.names(true, bCurrent)))
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(a addr.Address) bool {
		return !slices.ContainsFunc(at, func(base addr.Address) bool { return standsFor(base, a) })
	})
}

// cycles lists every cycle that any bucket knows.
func (tx *Tx) cycles() []addr.Address {
	set := map[addr.Address]bool{}
	for _, all := range [][]addr.Address{tx.Cycles(), tx.DecidedCycles(), tx.LookedCycles(), addresses(tx.names(true, bCurrent))} {
		for _, a := range all {
			set[a] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// addresses is the set of what something is recorded under.
func (tx *Tx) addresses() (map[addr.Address]bool, error) {
	known := map[addr.Address]bool{}
	for _, all := range [][]addr.Address{tx.Stages(), tx.cycles(), addresses(tx.SealedDomains())} {
		for _, a := range all {
			known[a] = true
		}
	}
	for a, err := range tx.Actions() {
		if err != nil {
			return nil, err
		}
		known[addr.Address(a.Address)] = true
	}
	for p, err := range tx.Partials() {
		if err != nil {
			return nil, err
		}
		known[addr.Address(p.Address)] = true
	}
	return known, nil
}

// blockKind is the word that says what an address is: "trainer" of module.a.trainer.llama.student, "module" of module.a.
func blockKind(a addr.Address) string {
	for {
		kind, rest, _ := strings.Cut(string(a), ".")
		if kind != "module" {
			return kind
		}
		below := afterName(rest)
		if below == "" {
			return kind
		}
		a = addr.Address(below)
	}
}

// afterName gives what follows the first name of an address and its keys; "" where nothing does.
func afterName(s string) string {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == '.' && !quoted:
			return s[i+1:]
		}
	}
	return ""
}

// mover renames from to to in each bucket that names addresses. It takes away all old names before it writes new ones: a
// new name may be an old one of something else that moves too.
type mover struct {
	tx       *Tx
	from, to addr.Address
	moves    func(addr.Address) bool
}

func (m mover) stages() error {
	moved := map[addr.Address]StageRecord{}
	for _, a := range m.tx.Stages() {
		if !m.moves(a) {
			continue
		}
		s, _, err := m.tx.Stage(a)
		if err != nil {
			return err
		}
		moved[a.Rebase(m.from, m.to)] = s
		if err := m.tx.del([]byte(a), bStages); err != nil {
			return err
		}
	}
	for _, a := range slices.Sorted(maps.Keys(moved)) {
		if err := put(m.tx, moved[a], []byte(a), bStages); err != nil {
			return err
		}
	}
	return nil
}

// memos renames the address that actions and partials carry.
func (m mover) memos() error {
	for a, err := range m.tx.Actions() {
		if err != nil {
			return err
		}
		if !m.rename(&a.Address) {
			continue
		}
		if err := put(m.tx, a, []byte(a.ID), bActions); err != nil {
			return err
		}
	}
	for p, err := range m.tx.Partials() {
		if err != nil {
			return err
		}
		if !m.rename(&p.Address) {
			continue
		}
		if err := put(m.tx, p, []byte(p.Lineage), bPartials); err != nil {
			return err
		}
	}
	return nil
}

// rename rebases an address that a record carries as text.
func (m mover) rename(text *string) bool {
	if !m.moves(addr.Address(*text)) {
		return false
	}
	*text = string(addr.Address(*text).Rebase(m.from, m.to))
	return true
}

func (m mover) cycles() error {
	for _, bucket := range []string{bGenerators, bDecisions, bLooks} {
		if err := m.buckets(bucket); err != nil {
			return err
		}
	}
	current := map[addr.Address]uint64{}
	for _, a := range addresses(m.tx.names(true, bCurrent)) {
		n, ok, err := m.tx.Current(a)
		if err != nil {
			return err
		}
		if !ok || !m.moves(a) {
			continue
		}
		current[a.Rebase(m.from, m.to)] = n
		if err := m.tx.del([]byte(a), bCurrent); err != nil {
			return err
		}
	}
	for _, a := range slices.Sorted(maps.Keys(current)) {
		if err := m.tx.putRaw(u64(current[a]), []byte(a), bCurrent); err != nil {
			return err
		}
	}
	for _, cycle := range m.tx.Cycles() { // each version names the generator block that runs it
		all, err := m.tx.Generators(cycle)
		if err != nil {
			return err
		}
		for _, g := range all {
			if !m.rename(&g.Stage) {
				continue
			}
			if err := put(m.tx, g, u64(g.Version), bGenerators, string(cycle)); err != nil {
				return err
			}
		}
	}
	return nil
}

// buckets renames the buckets of numbered records below a top-level one.
func (m mover) buckets(top string) error {
	type value struct{ key, raw []byte }
	moved := map[addr.Address][]value{}
	for _, a := range addresses(m.tx.names(false, top)) {
		if !m.moves(a) {
			continue
		}
		next := a.Rebase(m.from, m.to)
		walkBucket(m.tx, []string{top, string(a)}, func(_ []string, key, raw []byte) {
			moved[next] = append(moved[next], value{slices.Clone(key), slices.Clone(raw)})
		})
		if err := m.tx.bucket(top).DeleteBucket([]byte(a)); err != nil {
			return err
		}
		m.tx.dirty = true
	}
	for _, a := range slices.Sorted(maps.Keys(moved)) {
		for _, v := range moved[a] {
			if err := m.tx.putRaw(v.raw, v.key, top, string(a)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m mover) pins() error {
	for _, digest := range m.tx.Pinned() {
		pins, err := m.tx.Pins(digest)
		if err != nil {
			return err
		}
		var moved []Pin
		for _, p := range pins {
			old := p.Address
			if !m.rename(&p.Address) {
				continue
			}
			moved = append(moved, p)
			if err := m.tx.Unpin(digest, addr.Address(old)); err != nil {
				return err
			}
		}
		for _, p := range moved {
			if err := put(m.tx, p, []byte(p.Address), bPins, digest); err != nil {
				return err
			}
		}
	}
	return nil
}

// events renames the cycle that manual acts were about: a rollback decides where the student starts.
func (m mover) events() error {
	for e, err := range m.tx.Events() {
		if err != nil {
			return err
		}
		if !m.rename(&e.Cycle) {
			continue
		}
		if err := put(m.tx, e, u64(e.Seq), bEvents); err != nil {
			return err
		}
	}
	return nil
}

// seals renames domains: a gate pool that was looked at stays spent. A domain has nothing recorded of its own; it moves
// with its benchmark, which is what was sealed.
func (m mover) seals() error {
	type seal struct {
		to  string
		all []Seal
	}
	var moved []seal
	for _, domain := range m.tx.SealedDomains() {
		at := addr.Address(domain)
		benchmark := at.Child("benchmark")
		next, whole := strings.CutSuffix(string(benchmark.Rebase(m.from, m.to)), ".benchmark")
		if !whole || !m.moves(benchmark) {
			continue
		}
		all, err := m.tx.Seals(domain)
		if err != nil {
			return err
		}
		moved = append(moved, seal{next, all})
		if err := m.tx.bucket(bSeals).DeleteBucket([]byte(domain)); err != nil {
			return err
		}
		m.tx.dirty = true
	}
	for _, s := range moved {
		for _, one := range s.all {
			one.Domain = s.to
			if err := put(m.tx, one, u64(one.Version), bSeals, s.to); err != nil {
				return err
			}
		}
	}
	return nil
}
