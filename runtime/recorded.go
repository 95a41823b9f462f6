package runtime

import (
	"slices"

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
	hosts    map[string]string // run → machine
	inspect  func(digest string) (artifact.Condition, error)
	looked   map[string]artifact.Condition // at most once each: what was touched is read as a whole
	err      error                         // the first that a look met
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
	for run, err := range tx.Runs() {
		if err != nil {
			return err
		}
		r.hosts[run.ID] = run.Host
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
func (r *recorded) Begun(address string) *state.Partial     { return r.begun[address] }
func (r *recorded) Stages() []addr.Address                  { return r.stages }
func (r *recorded) Cycles() []addr.Address                  { return r.cycles }

// Partial is what an unfinished action left. A part of it that is gone or damaged is no progress.
func (r *recorded) Partial(lineage string) *state.Partial {
	p := r.partials[lineage]
	if p == nil || slices.ContainsFunc(p.Digests(), func(d string) bool { return !r.Has(d) }) {
		return nil
	}
	return p
}

// Has says whether an artifact's bytes are there, and are what they were.
func (r *recorded) Has(digest string) bool { return r.look(digest) == artifact.Present }

// Damaged says whether they are there and are not.
func (r *recorded) Damaged(digest string) bool { return r.look(digest) == artifact.Damaged }

func (r *recorded) look(digest string) artifact.Condition {
	how, ok := r.looked[digest]
	if !ok {
		var err error
		if how, err = r.inspect(digest); err != nil && r.err == nil {
			r.err = err
		}
		r.looked[digest] = how
	}
	return how
}
