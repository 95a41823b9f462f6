package plan

import (
	"context"
	"fmt"
	"slices"

	"jupiter/plan/addr"
	"jupiter/plan/config"
	"jupiter/state"
)

// Recorded is what the planner reads of the past. All of it comes from one read of the state.
type Recorded interface {
	Facts(cycle addr.Address) Facts
	Action(id string) *state.ActionRecord    // nil: not recorded
	Last(address string) *state.ActionRecord // the last good result at an address, or nil
	Partial(lineage string) *state.Partial   // nil: none
	Begun(address string) *state.Partial     // a partial result at an address, of whatever lineage; nil: none
	Stages() []addr.Address                  // all that have a last good result, sorted
	Cycles() []addr.Address                  // all that have a history, sorted
	Has(digest string) bool                  // whether an artifact's bytes are there, and are what they were
	Damaged(digest string) bool              // whether those that are there are not
}

// Make plans the next turn of every cycle of the configuration, as far as the options go. Attributes that a stage's
// ignore_changes names take their recorded values in cfg.
func Make(ctx context.Context, cfg *config.Config, rec Recorded, probe Probe, o Options) (*Plan, error) {
	p := &Plan{Options: o}
	var moved []Change
	p.Moves, moved = moves(cfg, rec)
	rec = afterMoves(rec, p.Moves)
	if o.KeepSources {
		probe = asRecorded{probe, rec}
	}
	x := &expander{probe: probe, rec: rec, single: len(cfg.Cycles) == 1, domains: map[string]*ground{}, options: o}
	if err := ignoreChanges(cfg, rec, x); err != nil {
		return nil, err
	}
	p.Envelope = Envelope{Config: Digest(cfg), Promotion: "auto"}
	p.Notes = forgotten(cfg, rec)
	if o.Destroy {
		return p, destroyed(cfg, rec, p)
	}
	for _, ch := range moved {
		p.change(ch)
	}
	var all []*Action
	for _, c := range cfg.Cycles {
		cp, err := x.plan(ctx, c, rec.Facts(c.Addr), rec, &p.Envelope)
		if err != nil {
			return nil, err
		}
		p.Cycles = append(p.Cycles, cp)
		all = append(all, cp.Actions...)
		o.replace(cp.Actions)
		cp.Actions = o.narrow(cp.Actions)
		if o.Partial() && !slices.ContainsFunc(cp.Actions, (*Action).ofGenerator) {
			cp.Pin = 0 // nothing that is asked for reads a generator
		}
		if cp.Pin != 0 {
			p.change(pinned(c, cp))
		}
	}
	if err := o.check(all, p.Cycles); err != nil {
		return nil, err
	}
	if err := p.compareAll(rec); err != nil {
		return nil, err
	}
	if !o.Partial() {
		for _, ch := range left(cfg, rec) {
			p.change(ch)
		}
	}
	return p, nil
}

// plan expands the next turn of a cycle, if it has one.
func (x *expander) plan(ctx context.Context, c *config.Cycle, f Facts, rec Recorded, e *Envelope) (*CyclePlan, error) {
	f.Restart = x.options.restarts(x, c)
	cp := &CyclePlan{Cycle: c.Name, Epoch: f.Epoch(), Generator: f.Current, Step: f.Step(), MaxSteps: c.Trainer.MaxSteps, Notes: append(f.acts(c), x.begun(c, f, rec)...)}
	if c.Promotion == "manual" {
		e.Promotion = "manual"
	}
	if err := cp.pin(c, f); err != nil { // also where nothing is left to train
		return nil, err
	}
	if cp.Terminal, cp.Why = f.End(c); cp.Terminal != Running {
		if note := f.note(c, cp.Terminal); note != "" {
			cp.Notes = append(cp.Notes, note)
		}
		return cp, nil
	}
	if cp.Pin != 0 {
		f.Current = cp.Pin
	}
	cp.Remaining = remaining(c, f)
	e.Cycles += cp.Remaining
	e.Looks += cp.Remaining
	x.out = &cp.Actions
	return cp, x.cycle(ctx, c, f)
}

// compareAll finds what is to be done for each action of the plan.
func (p *Plan) compareAll(rec Recorded) error {
	outputs := map[*Action]map[string]state.Output{}
	seen := map[*Action]bool{}
	for _, cp := range p.Cycles {
		for _, a := range cp.Actions {
			if seen[a] {
				continue // of a domain that another cycle shares
			}
			seen[a] = true
			ch := compare(a, rec, outputs)
			if err := protect(a, ch, rec); err != nil {
				return err
			}
			p.change(ch)
		}
	}
	return nil
}

// remaining is how many more cycles the steps and max_cycles allow.
func remaining(c *config.Cycle, f Facts) uint64 {
	n := (c.Trainer.MaxSteps - f.Step()) / c.EvalEverySteps
	if c.MaxCycles > 0 {
		n = min(n, c.MaxCycles-uint64(len(f.Decisions)))
	}
	return n
}

// Resolve gives the digest of each of an action's inputs, taking outputs of other actions from done. The names of those
// that are not known yet come in unknown.
func (a *Action) Resolve(done map[*Action]map[string]state.Output) (known map[string]string, unknown []string) {
	known = map[string]string{}
	for _, in := range a.Inputs {
		if in.From == nil {
			known[in.Name] = in.Digest
			continue
		}
		out, ok := done[in.From]
		if !ok {
			unknown = append(unknown, in.Name)
			continue
		}
		if in.Output != "*" {
			known[in.Name] = out[in.Output].Digest
			continue
		}
		for _, name := range sorted(out) {
			known[in.Name+"."+name] = out[name].Digest
		}
	}
	return known, unknown
}

// compare finds what is to be done for one action.
func compare(a *Action, rec Recorded, done map[*Action]map[string]state.Output) Change {
	ch := Change{Address: a.Address, Kind: a.Kind, Title: a.Title}
	if a.Kind == Promote {
		ch.Op, ch.Reasons = Decide, []Reason{{Code: Undecided, Names: []string{"promotion"}}}
		return ch
	}
	inputs, unknown := a.Resolve(done)
	last := rec.Last(string(a.Address))
	parts := a.identity(inputs)
	if len(unknown) > 0 {
		ch.Reasons = append(ch.Reasons, Reason{Code: InputUnknown, Names: unknown})
		hidden := map[string]bool{}
		for _, n := range unknown {
			hidden["input."+n] = true
		}
		switch {
		case a.Replace:
			return a.asked(last)
		case last == nil:
			ch.Op, ch.Reasons = Create, append([]Reason{{Code: NotRecorded, Names: []string{string(a.Address)}}}, ch.Reasons...)
		default:
			ch.Op, ch.Unknown = a.again(), true
			ch.Reasons = append(diff(a, last.Parts, parts, hide(hidden, last.Parts, unknown)), ch.Reasons...)
		}
		return ch
	}

	if a.Replace {
		return a.asked(last)
	}
	if r := rec.Action(actionID(parts)); r != nil {
		missing := ""
		if r.Retained {
			for _, name := range sorted(r.Outputs) {
				if !rec.Has(r.Outputs[name].Digest) {
					missing = r.Outputs[name].Digest
					break
				}
			}
		}
		if missing == "" {
			done[a] = r.Outputs
			ch.Op, ch.Stands = NoOp, r.ID
			return ch
		}
		ch.Op, ch.Reasons = Rerun, []Reason{{Code: ArtifactMissing, Names: []string{missing}}}
		if rec.Damaged(missing) {
			ch.Reasons[0].Code = ArtifactDamaged
		}
		return ch
	}
	if p := rec.Partial(lineageID(a.lineage(inputs))); p != nil {
		ch.Op = Advance
		ch.Reasons = []Reason{{Code: Interrupted, Names: []string{"partial"}, Was: fmt.Sprintf("%d %s", p.Done, p.Unit)}}
		ch.Title = fmt.Sprintf("continue after %d %s (interrupted); %s", p.Done, p.Unit, a.Title)
		return ch
	}
	if last == nil {
		ch.Op, ch.Reasons = Create, []Reason{{Code: NotRecorded, Names: []string{string(a.Address)}}}
		return ch
	}
	ch.Op = a.again()
	ch.Reasons = diff(a, last.Parts, parts, nil)
	return ch
}

// again is the operation for an action that has run before with other inputs: a trainer goes on, all else runs again.
func (a *Action) again() Op {
	if a.Kind == Train {
		return Advance
	}
	return Rerun
}

// hide extends the set of unknown parts by the recorded outputs of an input that takes all of them.
func hide(hidden map[string]bool, was map[string]string, unknown []string) map[string]bool {
	for part := range was {
		for _, n := range unknown {
			if prefix := "input." + n + "."; len(part) > len(prefix) && part[:len(prefix)] == prefix {
				hidden[part] = true
			}
		}
	}
	return hidden
}

// Digest names a configuration: all its cycles, and nothing of where it lies or how it is spelled.
func Digest(cfg *config.Config) string {
	parts := map[string]string{}
	for _, c := range cfg.Cycles {
		parts[string(c.Addr)] = CycleDigest(c)
	}
	return "sha256:" + hash("configuration", parts)
}

// Outside is the digest of what the plan found where no configuration and no state says it: what sources, models to import and
// served models are. An action that is new shows it nowhere else.
func (p *Plan) Outside() string {
	parts := map[string]string{}
	for _, c := range p.Cycles {
		for _, a := range c.Actions {
			for _, x := range a.Parts {
				if x.Name == "fingerprint" || x.Name == "file" {
					parts[string(a.Address)+" "+x.Name] = x.Value
				}
			}
		}
	}
	return "sha256:" + hash("outside", parts)
}
