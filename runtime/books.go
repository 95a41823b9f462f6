package runtime

import (
	"context"
	"fmt"
	"slices"

	"jupiter/plan"
	"jupiter/plan/addr"
	"jupiter/plan/config"
	"jupiter/state"
)

// books does what a plan says about records alone: what moved, what is forgotten, which generator is pinned, and whether
// a student starts again. All of it is one transaction, before anything runs. It says whether there was anything.
func (r *Runner) books(ctx context.Context, p *plan.Plan) (bool, error) {
	var todo []plan.Change
	for _, ch := range p.Changes {
		if ch.Op == plan.Destroy {
			todo = append(todo, ch)
		}
	}
	pins := map[*config.Cycle]uint64{}
	var restarts []*config.Cycle
	for i, cp := range p.Cycles {
		c := r.Config.Cycles[i]
		if cp.Pin != 0 {
			pins[c] = cp.Pin
		}
		if cp.Terminal == plan.Running && cp.Step > 0 && slices.ContainsFunc(cp.Actions, func(a *plan.Action) bool { return a.Replace && a.Kind == plan.Train && a.Stage == c.Trainer }) {
			restarts = append(restarts, c)
		}
	}
	slices.SortStableFunc(todo, func(a, b plan.Change) int { return rank(a) - rank(b) })
	if len(p.Moves)+len(todo)+len(restarts)+len(pins) == 0 {
		return false, nil
	}
	stands := map[string]bool{}
	for _, ch := range p.Changes {
		stands[ch.Stands] = true
	}
	err := r.DB.Update(ctx, func(tx *state.Tx) error {
		for _, m := range p.Moves {
			if err := tx.Move(m.From, m.To); err != nil {
				return err
			}
		}
		for _, ch := range todo {
			if err := r.forget(tx, ch, stands); err != nil {
				return fmt.Errorf("%s: %w", ch.Address, err)
			}
		}
		for _, c := range r.Config.Cycles {
			if version := pins[c]; version != 0 {
				if err := r.use(tx, c.Addr, version); err != nil {
					return err
				}
			}
		}
		for _, c := range restarts {
			if err := r.restart(tx, c.Addr); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return true, err
	}
	for _, ch := range p.Changes {
		if ch.Op != plan.Move && ch.Op != plan.Destroy && ch.Kind != plan.Pin {
			continue
		}
		r.emit(Event{Type: Booked, Address: string(ch.Address), Title: ch.Title})
	}
	_, err = r.DB.RepairLinks(ctx)
	return true, err
}

// rank puts histories before what is recorded at other addresses: what a history names is kept while there is one.
func rank(ch plan.Change) int {
	if ch.Kind == "" && ch.Op == plan.Destroy {
		return 0
	}
	return 1
}

// forget drops what is recorded at an address, but for results that stand for running lines of the plan: a stage under
// another name finds its work done.
func (r *Runner) forget(tx *state.Tx, ch plan.Change, stands map[string]bool) error {
	if slices.Contains(recordedCycles(tx), ch.Address) {
		if err := tx.DestroyCycle(ch.Address); err != nil {
			return err
		}
		return tx.AppendEvent(state.Event{At: r.Clock(), Act: "destroy", Cycle: string(ch.Address), Who: r.Who, Reason: "--destroy"})
	}
	return forgetStage(tx, ch.Address, stands)
}

// use makes the generator that the configuration pins the one in use.
func (r *Runner) use(tx *state.Tx, cycle addr.Address, version uint64) error {
	from, _, err := tx.Current(cycle)
	if err != nil {
		return err
	}
	if err := tx.SetCurrent(cycle, version); err != nil {
		return err
	}
	decisions, err := tx.Decisions(cycle)
	if err != nil {
		return err
	}
	return tx.AppendEvent(state.Event{At: r.Clock(), Act: "pin", Cycle: string(cycle), From: from, To: version, Who: r.Who,
		Reason: plan.PinnedByConfiguration, Epoch: uint64(len(decisions))})
}

// restart records that a student starts again from nothing. What it trained before stays in the history, and counts
// toward max_steps.
func (r *Runner) restart(tx *state.Tx, cycle addr.Address) error {
	decisions, err := tx.Decisions(cycle)
	if err != nil {
		return err
	}
	return tx.AppendEvent(state.Event{At: r.Clock(), Act: "restart", Cycle: string(cycle), Who: r.Who, Reason: "--replace", Epoch: uint64(len(decisions))})
}

// forgetStage drops what was recorded at an address: the last result, its memos but those that a history names, and all
// progress. The bytes go with the next garbage collection.
func forgetStage(tx *state.Tx, at addr.Address, keep map[string]bool) error {
	named, err := inHistories(tx)
	if err != nil {
		return err
	}
	var actions, partials []string
	for a, err := range tx.Actions() {
		if err != nil {
			return err
		}
		if a.Address == string(at) && !named[a.ID] && !keep[a.ID] {
			actions = append(actions, a.ID)
		}
	}
	for p, err := range tx.Partials() {
		if err != nil {
			return err
		}
		if p.Address == string(at) {
			partials = append(partials, p.Lineage)
		}
	}
	if err := tx.DeleteStage(at); err != nil {
		return err
	}
	for _, id := range actions {
		if err := tx.DeleteAction(id); err != nil {
			return err
		}
	}
	for _, l := range partials {
		if err := tx.DeletePartial(l); err != nil {
			return err
		}
	}
	return nil
}

// inHistories is the set of actions and digests that the decisions and generators of all cycles name.
func inHistories(tx *state.Tx) (map[string]bool, error) {
	named := map[string]bool{}
	for _, c := range recordedCycles(tx) {
		f, err := facts(tx, c)
		if err != nil {
			return nil, err
		}
		for _, g := range f.Generators {
			named[g.CreatedBy] = true
		}
		for _, d := range f.Decisions {
			for _, v := range d.Inputs {
				named[v] = true
			}
		}
	}
	for a, err := range tx.Actions() { // a pool or a data set of the history is an output of an action
		if err != nil {
			return nil, err
		}
		for _, o := range a.Outputs {
			if named[o.Digest] {
				named[a.ID] = true
			}
		}
	}
	return named, nil
}
