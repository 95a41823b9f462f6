package state

import (
	"fmt"
	"iter"
	"maps"
	"slices"

	"jupiter/plan/addr"
	"jupiter/state/artifact"
)

// Artifact returns what is recorded of a digest; false: nothing.
func (tx *Tx) Artifact(digest string) (Artifact, bool, error) {
	return get[Artifact](tx, []byte(digest), bArtifacts)
}

// PutArtifact records an artifact whose bytes are in the store (M2). Content that two actions make is recorded once, for
// the first.
func (tx *Tx) PutArtifact(a Artifact) error {
	if _, err := artifact.ParseDigest(a.Digest); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	have, ok, err := tx.Artifact(a.Digest)
	if err != nil {
		return err
	}
	if ok {
		if have.Tree != a.Tree || have.Size != a.Size {
			return fmt.Errorf("%w: artifact %s is recorded with %d bytes, not %d", ErrInvalid, a.Digest, have.Size, a.Size)
		}
		return nil
	}
	a.At = tx.at(a.At)
	return put(tx, a, []byte(a.Digest), bArtifacts)
}

// DeleteArtifact forgets an artifact, before its bytes are removed (M12). It fails with ErrPinned while something pins
// it. That no retained action or partial needs it is for the caller to know: see Live.
func (tx *Tx) DeleteArtifact(digest string) error {
	pins, err := tx.Pins(digest)
	if err != nil {
		return err
	}
	if len(pins) > 0 {
		return fmt.Errorf("delete artifact %s: %w by %s: %s", digest, ErrPinned, pins[0].Address, pins[0].Why)
	}
	return tx.del([]byte(digest), bArtifacts)
}

// Artifacts gives all artifacts in the order of their digests.
func (tx *Tx) Artifacts() iter.Seq2[Artifact, error] { return each[Artifact](tx, bArtifacts) }

// needArtifact fails with ErrNotFound where a digest is not recorded.
func (tx *Tx) needArtifact(digest string) error {
	_, ok, err := tx.Artifact(digest)
	if err == nil && !ok {
		err = fmt.Errorf("%w: artifact %s", ErrNotFound, digest)
	}
	return err
}

// Pin keeps an artifact until Unpin, and says why. A second pin of one address replaces the first.
func (tx *Tx) Pin(digest string, by addr.Address, why string) error {
	if by == "" {
		return fmt.Errorf("pin %s: %w: no address", digest, ErrInvalid)
	}
	if err := tx.needArtifact(digest); err != nil {
		return fmt.Errorf("pin for %s: %w", by, err)
	}
	have, ok, err := get[Pin](tx, []byte(by), bPins, digest)
	if err != nil || ok && have.Why == why {
		return err
	}
	p := Pin{Digest: digest, Address: string(by), Why: why, At: tx.at(have.At)}
	return put(tx, p, []byte(by), bPins, digest)
}

// Unpin takes a pin back. One that is not there is no error.
func (tx *Tx) Unpin(digest string, by addr.Address) error {
	return tx.del([]byte(by), bPins, digest)
}

// Pins gives the pins of an artifact in the order of their addresses.
func (tx *Tx) Pins(digest string) ([]Pin, error) { return collect[Pin](tx, bPins, digest) }

// Pinned lists the digests that have a pin, in order.
func (tx *Tx) Pinned() []string { return tx.names(false, bPins) }

// Live gives every digest that something needs, with what needs it, in words. Anything else may be removed:
//
//	DO     Update: DeleteArtifact what is not live; then store.GC(ctx, live, …)
//	DON'T  remove bytes first
func (tx *Tx) Live() (map[string][]string, error) {
	live := map[string][]string{}
	need := func(digest, format string, args ...any) {
		live[digest] = append(live[digest], fmt.Sprintf(format, args...))
	}
	for _, digest := range tx.Pinned() {
		pins, err := tx.Pins(digest)
		if err != nil {
			return nil, err
		}
		for _, p := range pins {
			need(digest, "pinned by %s: %s", p.Address, p.Why)
		}
	}
	for a, err := range tx.Actions() {
		if err != nil {
			return nil, err
		}
		for _, name := range sorted(a.Outputs) {
			if a.Retained {
				need(a.Outputs[name].Digest, "output %s of %s", name, a.Address)
			}
		}
	}
	for p, err := range tx.Partials() {
		if err != nil {
			return nil, err
		}
		for _, digest := range p.Digests() {
			need(digest, "progress of %s", p.Address)
		}
	}
	for _, domain := range tx.SealedDomains() {
		seals, err := tx.Seals(domain)
		if err != nil {
			return nil, err
		}
		for _, s := range seals {
			need(s.Index, "seal %d of %s", s.Version, s.Domain)
		}
	}
	if err := tx.liveHistory(need); err != nil {
		return nil, err
	}
	return live, tx.liveBases(live, need)
}

// liveBases gives what live checkpoints build on: the imported ones that their training began with.
func (tx *Tx) liveBases(live map[string][]string, need func(digest, format string, args ...any)) error {
	type on struct{ base, by string }
	seen := map[on]bool{}
	for a, err := range tx.Artifacts() {
		if err != nil {
			return err
		}
		if live[a.Digest] == nil {
			continue
		}
		made, ok, err := tx.Action(a.MadeBy)
		if err != nil {
			return err
		}
		o := on{made.Parts["input.base"], made.Address}
		if ok && made.Kind == "train" && o.base != "" && !seen[o] {
			seen[o] = true
			need(o.base, "the base of checkpoints of %s", o.by)
		}
	}
	return nil
}

// liveHistory gives what the next turn of each cycle reads of its past, and what a rollback goes back to: decisions and
// rollbacks are facts, and nothing makes their artifacts again. What retention let go of is not recorded any more.
func (tx *Tx) liveHistory(need func(digest, format string, args ...any)) error {
	for _, cycle := range tx.DecidedCycles() {
		all, err := tx.Decisions(cycle)
		if err != nil {
			return err
		}
		for _, d := range all {
			for _, digest := range []string{d.Model, d.Checkpoint, d.StartCheckpoint} {
				if digest != "" {
					need(digest, "decision %d of %s", d.Epoch, cycle)
				}
			}
			for _, name := range sorted(d.Inputs) {
				if _, err := artifact.ParseDigest(d.Inputs[name]); err == nil {
					need(d.Inputs[name], "%s of decision %d of %s", name, d.Epoch, cycle)
				}
			}
		}
	}
	for e, err := range tx.Events() {
		if err != nil {
			return err
		}
		if e.Checkpoint != "" {
			need(e.Checkpoint, "rollback of %s", e.Cycle)
		}
	}
	return nil
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
