package state

import (
	"fmt"
	"iter"

	"jupiter/plan/addr"
)

// Stage returns the last good result of an address; false: there is none.
func (tx *Tx) Stage(a addr.Address) (StageRecord, bool, error) {
	return get[StageRecord](tx, []byte(a), bStages)
}

// PutStage records the last good result of an address. Its action must be recorded.
func (tx *Tx) PutStage(a addr.Address, r StageRecord) error {
	if _, ok, err := tx.Action(r.Action); err != nil {
		return err
	} else if !ok {
		return fmt.Errorf("stage %s: %w: action %s", a, ErrNotFound, r.Action)
	}
	r.At = tx.at(r.At)
	return put(tx, r, []byte(a), bStages)
}

// DeleteStage forgets an address that is no longer configured. Its actions and artifacts stay.
func (tx *Tx) DeleteStage(a addr.Address) error { return tx.del([]byte(a), bStages) }

// Stages lists the recorded addresses in order.
func (tx *Tx) Stages() []addr.Address { return addresses(tx.names(true, bStages)) }

func addresses(names []string) []addr.Address {
	all := make([]addr.Address, len(names))
	for i, n := range names {
		all[i] = addr.Address(n)
	}
	return all
}

// Action returns the memo of an action; false: it was never done.
func (tx *Tx) Action(id string) (ActionRecord, bool, error) {
	return get[ActionRecord](tx, []byte(id), bActions)
}

// PutAction records an action, in place of what was recorded under its ID. Where it is retained, its outputs must be
// recorded as artifacts (M1).
func (tx *Tx) PutAction(r ActionRecord) error {
	if r.ID == "" {
		return fmt.Errorf("action of %s: %w: no id", r.Address, ErrInvalid)
	}
	if r.Retained {
		for _, name := range sorted(r.Outputs) {
			if err := tx.needArtifact(r.Outputs[name].Digest); err != nil {
				return fmt.Errorf("output %s of action %s: %w", name, r.ID, err)
			}
		}
	}
	r.Began = tx.at(r.Began)
	return put(tx, r, []byte(r.ID), bActions)
}

// Actions gives all actions in the order of their IDs.
func (tx *Tx) Actions() iter.Seq2[ActionRecord, error] { return each[ActionRecord](tx, bActions) }

// Partial returns what an unfinished action left under its lineage ID; false: nothing.
func (tx *Tx) Partial(lineage string) (Partial, bool, error) {
	return get[Partial](tx, []byte(lineage), bPartials)
}

// PutPartial records progress. Its shards and its checkpoint must be recorded as artifacts (M5).
func (tx *Tx) PutPartial(p Partial) error {
	if p.Lineage == "" {
		return fmt.Errorf("partial of %s: %w: no lineage", p.Address, ErrInvalid)
	}
	for _, digest := range p.Digests() {
		if err := tx.needArtifact(digest); err != nil {
			return fmt.Errorf("partial of %s: %w", p.Address, err)
		}
	}
	p.At = tx.at(p.At)
	return put(tx, p, []byte(p.Lineage), bPartials)
}

// DeletePartial forgets progress: the action is done, or starts again.
func (tx *Tx) DeletePartial(lineage string) error { return tx.del([]byte(lineage), bPartials) }

// Partials gives all partials in the order of their lineage IDs.
func (tx *Tx) Partials() iter.Seq2[Partial, error] { return each[Partial](tx, bPartials) }

// Digests lists the artifacts that a partial needs.
func (p Partial) Digests() []string {
	all := p.Shards
	if p.Checkpoint != "" {
		all = append(all[:len(all):len(all)], p.Checkpoint)
	}
	return all
}
