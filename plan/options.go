package plan

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"jupiter/plan/addr"
	"jupiter/plan/config"
	"jupiter/state"
)

// Options narrow or turn what a plan does. The zero value is the whole next turn.
type Options struct {
	Targets     []addr.Address `json:"targets,omitempty"`      // only what is under these, and what it needs
	Excludes    []addr.Address `json:"excludes,omitempty"`     // all but what is under these, and what needs it
	Replace     []addr.Address `json:"replace,omitempty"`      // run again although nothing differs
	KeepSources bool           `json:"keep_sources,omitempty"` // take sources as they were when last collected
	RefreshOnly bool           `json:"refresh_only,omitempty"` // only see what changed outside
	Destroy     bool           `json:"destroy,omitempty"`      // forget everything that is recorded
}

// Partial says whether a plan with these options leaves out a part of the turn. Such a plan is no reason to plan again.
func (o Options) Partial() bool {
	return len(o.Targets) > 0 || len(o.Excludes) > 0 || o.RefreshOnly || o.Destroy
}

// UnknownAddressError is an address that a user gave and that the plan does not have.
type UnknownAddressError struct {
	Option  string // "--target"
	Address addr.Address
	Have    []string // what there is
	Below   []string // of --replace: what is below the address and not at it
	Why     []string // of cycles that have no next turn
}

func (e *UnknownAddressError) Error() string {
	if len(e.Below) > 0 {
		list := strings.Join(e.Below[:min(5, len(e.Below))], ", ")
		if n := len(e.Below) - 5; n > 0 {
			list += fmt.Sprintf(" and %d more", n)
		}
		return fmt.Sprintf("%s %s: it takes the addresses of lines, and there is none at this one; below it are %s", e.Option, e.Address, list)
	}
	t := fmt.Sprintf("%s %s: the next turn has nothing there", e.Option, e.Address)
	if len(e.Why) > 0 {
		t += " (" + strings.Join(e.Why, "; ") + ")"
	}
	return t
}

// narrow keeps the actions of a turn that the options ask for, in their order.
func (o Options) narrow(actions []*Action) []*Action {
	if o.RefreshOnly {
		actions = slices.DeleteFunc(slices.Clone(actions), func(a *Action) bool { return a.Kind != Collect })
	}
	if len(o.Targets) > 0 {
		keep := map[*Action]bool{}
		for i := len(actions) - 1; i >= 0; i-- { // what an action needs comes before it
			a := actions[i]
			if keep[a] = keep[a] || under(a.Address, o.Targets); keep[a] {
				for _, need := range a.needs() {
					keep[need] = true
				}
			}
		}
		actions = slices.DeleteFunc(slices.Clone(actions), func(a *Action) bool { return !keep[a] })
	}
	if len(o.Excludes) > 0 {
		gone := map[*Action]bool{}
		for _, a := range actions {
			gone[a] = under(a.Address, o.Excludes) || slices.ContainsFunc(a.needs(), func(n *Action) bool { return gone[n] })
		}
		actions = slices.DeleteFunc(slices.Clone(actions), func(a *Action) bool { return gone[a] })
	}
	return actions
}

// needs lists the actions that must be done before a is.
func (a *Action) needs() []*Action {
	all := slices.Clone(a.After)
	for _, in := range a.Inputs {
		if in.From != nil {
			all = append(all, in.From)
		}
	}
	return all
}

func under(a addr.Address, bases []addr.Address) bool {
	return slices.ContainsFunc(bases, func(b addr.Address) bool { return a.Under(b) })
}

// check finds addresses among the options that no action of any turn is under.
func (o Options) check(all []*Action, cycles []*CyclePlan) error {
	for _, given := range []struct {
		option string
		list   []addr.Address
	}{{"--target", o.Targets}, {"--exclude", o.Excludes}, {"--replace", o.Replace}} {
		for _, want := range given.list {
			if slices.ContainsFunc(all, func(a *Action) bool {
				return given.option != "--replace" && a.Address.Under(want) || given.option == "--replace" && a.replacedBy(want)
			}) {
				continue
			}
			e := &UnknownAddressError{Option: given.option, Address: want}
			for _, a := range all {
				e.Have = append(e.Have, string(a.Address))
				switch {
				case given.option != "--replace" || !a.Address.Under(want):
				case a.Kind == Promote && a.Address == want:
					e.Why = append(e.Why, "a promotion is settled in each turn anyway")
				case a.Kind != Promote:
					e.Below = append(e.Below, string(a.Address))
				}
			}
			for _, c := range cycles {
				if c.Terminal != Running {
					e.Why = append(e.Why, fmt.Sprintf("self_improvement.%s is %s: %s", c.Cycle, c.Terminal, c.Why))
				}
			}
			return e
		}
	}
	return nil
}

// replace marks what is to run again.
func (o Options) replace(actions []*Action) {
	for _, a := range actions {
		a.Replace = slices.ContainsFunc(o.Replace, a.replacedBy)
	}
}

// replacedBy says whether an address that --replace names is of an action. An address names the actions that are its own:
// that of a stage not what the core derives from it, as the choice among a trainer's checkpoints, which follows by itself
// where the outcome differs; that of a module all that is in it.
func (a *Action) replacedBy(want addr.Address) bool {
	if a.Kind == Promote {
		return false
	}
	rest, ok := strings.CutPrefix(string(a.Address), string(want))
	return ok && (rest == "" || rest[0] == '[') || strings.HasPrefix(string(want), "module.") && a.Address.Under(want)
}

// restarts says whether the student of c is to start again from nothing.
func (o Options) restarts(x *expander, c *config.Cycle) bool {
	return slices.Contains(o.Replace, c.Trainer.Addr) || slices.Contains(o.Replace, x.at(c.Trainer.Addr, c))
}

// asRecorded answers with the sources that were last collected.
type asRecorded struct {
	Probe
	rec Recorded
}

func (p asRecorded) Source(ctx context.Context, s *config.Source) (string, error) {
	if last := p.rec.Last(string(s.Addr)); last != nil {
		if fp, ok := last.Parts["fingerprint"]; ok {
			return fp, nil
		}
	}
	return p.Probe.Source(ctx, s) // never collected: it has to be looked at
}

// destroyed is the plan that forgets everything: what was recorded at each address, and each cycle's history.
func destroyed(cfg *config.Config, rec Recorded, p *Plan) error {
	for _, s := range cfg.Stages {
		if !s.Lifecycle.PreventDestroy {
			continue
		}
		for _, a := range rec.Stages() {
			if a.Under(s.Addr) {
				return refuse(s, a, "this plan would forget its result")
			}
		}
	}
	for _, a := range rec.Stages() {
		ch := Change{Address: a, Op: Destroy, Title: "what was recorded is forgotten", Reasons: []Reason{{Code: Asked, Names: []string{"--destroy"}}}}
		if last := rec.Last(string(a)); last != nil {
			ch.Kind = Kind(last.Kind)
		}
		p.change(ch)
	}
	for _, a := range rec.Cycles() {
		f := rec.Facts(a)
		p.change(Change{Address: a, Op: Destroy, Title: fmt.Sprintf("history of %s and %s is forgotten", count(len(f.Generators), "generator"), count(len(f.Decisions), "decision")),
			Reasons: []Reason{{Code: Asked, Names: []string{"--destroy"}}}})
	}
	return nil
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// asked is the change of an action that is recorded and runs again because somebody wants it to.
func (a *Action) asked(last *state.ActionRecord) Change {
	ch := Change{Address: a.Address, Kind: a.Kind, Title: a.Title, Op: a.again(), Reasons: []Reason{{Code: Asked, Names: []string{"--replace"}}}}
	if last == nil {
		ch.Op = Create
	}
	return ch
}
