package runtime

import (
	"jupiter/plan"
	"jupiter/plan/addr"
	"jupiter/state"
	"jupiter/state/artifact"
)

// recorded is what a plan reads of the past: one consistent picture of the state.
type recorded struct {
	facts    map[addr.Address]plan.Facts
	actions  map[string]*state.ActionRecord
	last     map[string]*state.ActionRecord // by address
	partials map[string]*state.Partial
	begun    map[string]*state.Partial // by address
	stages   []addr.Address
	cycles   []addr.Address
	store    *artifact.Store
}

func (r *recorded) load(tx *state.Tx) error {
	for a, err := range tx.Actions() {
		if err != nil {
			return err
		}
		r.actions[a.ID] = &a
	}
	r.stages = tx.Stages()
	for _, at := range r.stages {
		s, ok, err := tx.Stage(at)
		if err != nil {
			return err
		}
		if a := r.actions[s.Action]; ok && a != nil {
			r.last[string(at)] = a
		}
	}
	for p, err := range tx.Partials() {
		if err != nil {
			return err
		}
		r.partials[p.Lineage], r.begun[p.Address] = &p, &p
	}
	return nil
}

func (r *recorded) Facts(cycle addr.Address) plan.Facts     { return r.facts[cycle] }
func (r *recorded) Action(id string) *state.ActionRecord    { return r.actions[id] }
func (r *recorded) Last(address string) *state.ActionRecord { return r.last[address] }
func (r *recorded) Partial(lineage string) *state.Partial   { return r.partials[lineage] }
func (r *recorded) Begun(address string) *state.Partial     { return r.begun[address] }
func (r *recorded) Stages() []addr.Address                  { return r.stages }
func (r *recorded) Cycles() []addr.Address                  { return r.cycles }

// Has says whether an artifact's bytes are there.
func (r *recorded) Has(digest string) bool {
	ok, err := r.store.Has(digest)
	return ok && err == nil
}
