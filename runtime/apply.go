package runtime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"

	"jupiter/plan"
	"jupiter/plan/addr"
	"jupiter/plan/config"
	"jupiter/plan/forecast"
	"jupiter/plugins/host"
	"jupiter/state"
)

// Outcome is how an apply ended.
type Outcome string

// The outcomes. All but Failed leave the state consistent by design; Failed does too, and says what went wrong.
const (
	OutcomeDone        Outcome = "done"        // nothing is left to do
	OutcomeConverged   Outcome = "converged"   // patience cycles without a promotion
	OutcomeCeiling     Outcome = "ceiling"     // no score could reach the threshold
	OutcomeHalted      Outcome = "halted"      // by the guard
	OutcomePending     Outcome = "pending"     // a promotion waits for a person
	OutcomeEnvelope    Outcome = "envelope"    // what was approved is used up
	OutcomePartial     Outcome = "partial"     // what was asked of the turn is done, and no more was asked
	OutcomeBudget      Outcome = "budget"      // a budget is used up; progress is saved
	OutcomeInterrupted Outcome = "interrupted" // progress is saved
	OutcomeFailed      Outcome = "failed"
)

// ErrEnvelope says that a cycle's plan does not fit into what was approved.
var ErrEnvelope = errors.New("the plan no longer fits what was approved")

// ApplyOptions are what was approved.
type ApplyOptions struct {
	Cycles   uint64 // at most so many cycles; 0: as many as the envelope has
	Envelope plan.Envelope
	Forecast *forecast.Plan // that was shown; nil: none
	RunID    string
	Command  string
	Begun    func()                   // called once the run is recorded; nil: nobody waits for it
	Status   func(Outcome, error) int // exit status that an end has, for notices; nil: 0
}

// Apply makes plans and acts on them until nothing is left to do, an end is reached, or the envelope is used up. The
// caller holds the operation lock.
func (r *Runner) Apply(ctx context.Context, o ApplyOptions) (Outcome, error) {
	run := state.Run{ID: o.RunID, Plan: o.Envelope.Config, Who: r.Who, Host: r.Machine, PID: r.PID, Began: r.Clock()}
	if o.Forecast != nil {
		b, err := json.Marshal(o.Forecast)
		if err != nil {
			return OutcomeFailed, err
		}
		run.Forecast = b
	}
	if err := r.begin(ctx, run); err != nil {
		return OutcomeFailed, err
	}
	if o.Begun != nil {
		o.Begun()
	}
	r.run, r.meter = run.ID, &meter{clock: r.Clock}
	r.meter.start()
	r.listen(ctx)
	outcome, err := r.outcomeOf(r.cycles(ctx, o))
	r.stops.Wait()
	if errors.Is(err, ErrEnvelope) {
		outcome = OutcomeEnvelope
	}
	run.Ended, run.Outcome, run.Actual = r.Clock(), string(outcome), r.meter.usage()
	if err != nil {
		run.Error = err.Error()
		if outcome == "" {
			outcome, run.Outcome = OutcomeFailed, string(OutcomeFailed)
		}
	}
	after := context.WithoutCancel(ctx)
	ended := r.DB.Update(after, func(tx *state.Tx) error { return tx.PutRun(run) })
	status := 0
	if o.Status != nil {
		status = o.Status(outcome, err)
	}
	r.tellEnd(run, status)
	return outcome, errors.Join(err, ended, r.writePipeline(after)) // also of a turn that was cut short
}

// begin puts right what a killed process may have left, and records the run.
func (r *Runner) begin(ctx context.Context, run state.Run) error {
	if _, err := r.DB.Sweep(ctx); err != nil {
		return err
	}
	if err := os.RemoveAll(r.workDir()); err != nil {
		return err
	}
	if err := r.Host.SetWorkDir(r.workDir()); err != nil {
		return err
	}
	r.warnUnheld()
	if err := r.DB.Update(ctx, func(tx *state.Tx) error { return tx.PutRun(run) }); err != nil {
		return err
	}
	for _, c := range r.Config.Cycles {
		f, err := r.Facts(ctx, c.Addr)
		if err != nil {
			return err
		}
		if len(f.Generators) == 0 {
			continue
		}
		if err := r.retain(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// warnUnheld says what this system cannot hold plugins to: of those that did not come with the program, and of bounds that
// somebody has set.
func (r *Runner) warnUnheld() {
	if len(r.Config.Plugins) > 0 {
		for _, m := range r.Host.Unconfined() {
			r.emit(Event{Type: Warned, Message: "a plugin is less confined here than it could be. " + m})
		}
	}
	for _, s := range r.Config.Stages {
		if s.Limits != (config.Limits{}) && !host.LimitsHold {
			r.emit(Event{Type: Warned, Address: string(s.Addr), Message: "limits bound nothing here: this system does not tell what a process has, and what it has started"})
		}
	}
}

// cycles is the loop: plan, act, plan again.
func (r *Runner) cycles(ctx context.Context, o ApplyOptions) (Outcome, error) {
	limit := o.Envelope.Cycles
	if o.Cycles > 0 {
		limit = min(limit, o.Cycles)
	}
	meters := map[*config.Cycle]*meter{}
	for _, c := range r.Config.Cycles {
		meters[c] = r.cycleMeter(c, o.Envelope)
	}
	for used := uint64(0); ; {
		p, err := r.Plan(ctx)
		if err != nil {
			return "", err
		}
		if err := r.writePipeline(ctx); err != nil {
			return "", err
		}
		if p.Envelope.Config != o.Envelope.Config {
			return "", fmt.Errorf("%w: the configuration changed", ErrEnvelope)
		}
		if len(p.Moves) == 0 { // else the names that links follow are those of before
			if err := r.repairLinks(ctx); err != nil {
				return "", err
			}
		}
		if p.Empty() {
			return r.ended(p), nil
		}
		booked, err := r.books(ctx, p)
		if err != nil {
			return "", err
		}
		if p.Options.Destroy {
			return OutcomeDone, nil
		}
		if booked {
			if p, err = r.Plan(ctx); err != nil {
				return "", err
			}
		}
		if repaired, err := r.settleDrift(ctx, p); err != nil {
			return "", err
		} else if repaired {
			continue
		}
		if p.Settled() {
			return r.ended(p), nil
		}
		if used >= limit {
			return OutcomeEnvelope, nil
		}
		r.emit(Event{Type: Planned, Plan: p})
		for i, cp := range p.Cycles {
			if cp.Terminal != plan.Running || used >= limit {
				continue
			}
			used++
			c := r.Config.Cycles[i]
			m := meters[c]
			m.start()
			watchHours(m, func() { err = r.cycleTurn(withMeter(ctx, m), c, cp) })
			m.stop()
			if err != nil {
				return "", err
			}
		}
		if p.Options.Partial() {
			return OutcomePartial, nil
		}
		r.Options.Replace = nil // done, and not again in the next turn
	}
}

// ended is the outcome of a run whose plan is empty: the most noteworthy end of its cycles.
func (r *Runner) ended(p *plan.Plan) Outcome {
	outcome := OutcomeDone
	rank := map[Outcome]int{OutcomeDone: 0, OutcomeCeiling: 1, OutcomeConverged: 2, OutcomePending: 3, OutcomeHalted: 4}
	for _, c := range p.Cycles {
		r.emit(Event{Type: Ended, Cycle: c.Cycle, Message: c.Why})
		if o := Outcome(c.Terminal); rank[o] > rank[outcome] {
			outcome = o
		}
	}
	return outcome
}

// cycleTurn runs one cycle's actions, decides, and acts on the decision.
func (r *Runner) cycleTurn(ctx context.Context, c *config.Cycle, cp *plan.CyclePlan) error {
	t := &turn{r: r, c: c, records: map[plan.Kind]*state.ActionRecord{}}
	r.handed.Clear()
	var mu sync.Mutex
	done := map[*plan.Action]*state.ActionRecord{}
	var actions []*plan.Action
	for _, a := range cp.Actions {
		if a.Kind == plan.Promote {
			t.a = a
			continue
		}
		actions = append(actions, a)
	}
	_, err := r.walk(ctx, actions, func(ctx context.Context, a *plan.Action, have map[*plan.Action]outputs) (outputs, error) {
		inputs, unknown := a.Resolve(have)
		if len(unknown) > 0 {
			return nil, fmt.Errorf("%s: inputs %v are not there", a.Address, unknown)
		}
		rec, err := r.do(ctx, a, inputs)
		if err != nil {
			return nil, err
		}
		if err := r.takeOver(ctx, a, rec); err != nil {
			return nil, err
		}
		if a.Kind == plan.Adopt { // durable in the state; the link follows
			if _, err := r.DB.RepairLinks(ctx); err != nil {
				return nil, err
			}
		}
		mu.Lock()
		defer mu.Unlock()
		done[a] = rec
		return rec.Outputs, nil
	})
	if err != nil || t.a == nil { // without a promotion the turn is a part of one, and decides nothing
		return err
	}
	for _, a := range actions { // of several of a kind the plan's last, whichever ended last: the cycle's own
		t.records[a.Kind] = done[a]
	}
	if t.facts, err = r.Facts(ctx, c.Addr); err != nil {
		return err
	}
	t.model, t.ckpt = t.output(plan.Select, "model"), t.output(plan.Select, "checkpoint")
	t.bench = t.output(plan.Benchmark, "benchmark")
	began := r.Clock()
	d, err := t.decide(ctx)
	if err != nil {
		return err
	}
	if err := t.settle(ctx, d); err != nil {
		return err
	}
	if err := r.retain(ctx, c); err != nil {
		return err
	}
	if err := r.writePipeline(ctx); err != nil {
		return err
	}
	r.rememberTime(deciding, began, max(0, r.Clock().Sub(began).Seconds()-t.elsewhere.Seconds()))
	return nil
}

// takeOver records a result that stands for running an action as the last one at its address too, where that of a stage
// under another name was found: what differs later is told by it. Where nothing is at the other address any more, the
// result is of this one.
func (r *Runner) takeOver(ctx context.Context, a *plan.Action, rec *state.ActionRecord) error {
	if rec.Address == string(a.Address) {
		return nil
	}
	known := false
	err := r.DB.View(ctx, func(tx *state.Tx) error {
		last, ok, err := tx.Stage(a.Address)
		known = ok && last.Action == rec.ID
		return err
	})
	if err != nil || known {
		return err
	}
	return r.DB.Update(ctx, func(tx *state.Tx) error {
		if _, other, err := tx.Stage(addr.Address(rec.Address)); err != nil {
			return err
		} else if !other {
			rec.Address = string(a.Address)
			if err := tx.PutAction(*rec); err != nil {
				return err
			}
		}
		return tx.PutStage(a.Address, state.StageRecord{Action: rec.ID, At: r.Clock()})
	})
}

// cycle finds a cycle of the configuration.
func (r *Runner) cycle(at addr.Address) *config.Cycle {
	for _, c := range r.Config.Cycles {
		if c.Addr == at {
			return c
		}
	}
	return nil
}
