package plan

import (
	"fmt"

	"jupiter/plan/config"
	"jupiter/state"
)

// Facts is the recorded history of one cycle address.
type Facts struct {
	Generators []state.Generator
	Current    uint64 // 0: none
	Decisions  []state.Decision
	Looks      []state.Look
	Events     []state.Event
	Restart    bool // the student is about to start again from nothing
}

// Epoch is the number of the next cycle; 1 for the first.
func (f Facts) Epoch() uint64 { return uint64(len(f.Decisions)) + 1 }

// Step is how many optimizer steps the student has trained.
func (f Facts) Step() uint64 {
	if n := len(f.Decisions); n > 0 {
		return f.Decisions[n-1].Step
	}
	return 0
}

// Generator is the generator in use, or nil.
func (f Facts) Generator() *state.Generator {
	for i := range f.Generators {
		if f.Generators[i].Version == f.Current {
			return &f.Generators[i]
		}
	}
	return nil
}

// Start is the checkpoint that the next window starts from: the last decision's, or the one that a rollback or a restart
// since then went back to; before the first decision, one that a person has imported. Empty: the student starts fresh.
func (f Facts) Start() string {
	if f.Restart {
		return ""
	}
	if e := f.lastReturn(); e != nil {
		return e.Checkpoint
	}
	if n := len(f.Decisions); n > 0 {
		return f.Decisions[n-1].Checkpoint
	}
	if e := f.imported(); e != nil {
		return e.Checkpoint
	}
	return ""
}

// Base is the imported checkpoint that the training of Start began with, which an adapter builds on; "": it began with nothing.
func (f Facts) Base() string {
	at := f.Start()
	if at == "" {
		return ""
	}
	for i := len(f.Decisions) - 1; i >= 0; i-- {
		if d := &f.Decisions[i]; d.Checkpoint == at || d.StartCheckpoint == at {
			return d.Inputs["base"]
		}
	}
	if e := f.imported(); e != nil && e.Checkpoint == at {
		return at
	}
	return ""
}

// imported is the last import of a start for the student, or nil.
func (f Facts) imported() *state.Event {
	for i := len(f.Events) - 1; i >= 0; i-- {
		if e := &f.Events[i]; e.Act == "import" && e.Checkpoint != "" {
			return e
		}
	}
	return nil
}

// Pool is the digest of the synthetic pool that the last cycle left, or "".
func (f Facts) Pool() string {
	if n := len(f.Decisions); n > 0 {
		return f.Decisions[n-1].Inputs["pool"]
	}
	return ""
}

// Withdrawn lists the generator versions whose samples may not be used.
func (f Facts) Withdrawn() []uint64 {
	var v []uint64
	for _, g := range f.Generators {
		if g.Withdrawn {
			v = append(v, g.Version)
		}
	}
	return v
}

// Behind lists the decisions that the next window's student has behind it: all but those that a rollback or a restart took back.
func (f Facts) Behind() []state.Decision {
	behind := make([]bool, len(f.Decisions))
	for i := range behind {
		behind[i] = true
	}
	for _, e := range f.Events {
		if e.Act == "restart" {
			for i, d := range f.Decisions {
				behind[i] = behind[i] && d.Epoch > e.Epoch
			}
		}
		if e.Act != "rollback" || e.KeepStudent {
			continue
		}
		back := false
		for i, d := range f.Decisions {
			if back = back || d.Promoted > e.To; back && d.Epoch <= e.Epoch {
				behind[i] = false
			}
		}
	}
	var all []state.Decision
	for i, d := range f.Decisions {
		if behind[i] {
			all = append(all, d)
		}
	}
	return all
}

// sinceLast finds the last of the acts since the last decision that holds for ok, or nil.
func (f Facts) sinceLast(ok func(e *state.Event) bool) *state.Event {
	for i := len(f.Events) - 1; i >= 0; i-- {
		if e := &f.Events[i]; e.Epoch == uint64(len(f.Decisions)) && ok(e) {
			return e
		}
	}
	return nil
}

// lastReturn is the last act since the last decision that set the student back: a restart, or a rollback that did not
// leave the student as it was; or nil.
func (f Facts) lastReturn() *state.Event {
	return f.sinceLast(func(e *state.Event) bool {
		return e.Act == "restart" || e.Act == "rollback" && !e.KeepStudent
	})
}

// switched is the epoch after which a person last put another generator to use; 0: never. What a cycle came to against
// the generator before says nothing of the one in use now.
func (f Facts) switched() uint64 {
	for i := len(f.Events) - 1; i >= 0; i-- {
		switch e := f.Events[i]; e.Act {
		case "rollback", "adopt", "pin":
			if e.From != e.To {
				return e.Epoch
			}
		}
	}
	return 0
}

// resumed says whether a person has released the cycle since its last decision.
func (f Facts) resumed() bool {
	return f.sinceLast(func(e *state.Event) bool { return e.Act == "resume" }) != nil
}

// End says whether the cycle has come to an end, and why.
func (f Facts) End(c *config.Cycle) (Terminal, string) {
	n := len(f.Decisions)
	if n == 0 {
		return Running, ""
	}
	last := f.Decisions[n-1]
	switch {
	case last.Pending:
		return Pending, fmt.Sprintf("the promotion of epoch %d waits for a decision: jupiter approve, or jupiter reject --reason", last.Epoch)
	case last.Halted && !f.resumed() && f.configHalted(c):
		return Halted, fmt.Sprintf("the guard stopped epoch %d; change the configuration, or type jupiter resume --ack REASON", last.Epoch)
	case last.Verdict == "CEILING" && !f.resumed() && f.switched() < last.Epoch:
		return Ceiling, fmt.Sprintf("epoch %d: no score could reach the threshold", last.Epoch)
	case f.Step()+c.EvalEverySteps > c.Trainer.MaxSteps:
		return Done, fmt.Sprintf("max_steps = %d reached", c.Trainer.MaxSteps)
	case c.MaxCycles > 0 && uint64(n) >= c.MaxCycles:
		return Done, fmt.Sprintf("max_cycles = %d reached", c.MaxCycles)
	case c.Patience > 0 && f.Dry() >= c.Patience && !f.resumed():
		return Converged, fmt.Sprintf("no promotion in the last %s (patience = %d)", count(int(f.Dry()), "cycle"), c.Patience)
	}
	return Running, ""
}

// note says what a cycle that has ended leaves open: a rollback asks for another turn, which the end does not allow.
func (f Facts) note(c *config.Cycle, end Terminal) string {
	e := f.sinceLast(func(e *state.Event) bool { return e.Act == "rollback" })
	if e == nil || end != Done || e.To != f.Current {
		return ""
	}
	return fmt.Sprintf("generator_v%d is in use again, and nothing is left to train a successor with: raise %s to go on",
		e.To, bound(c, f))
}

// bound names the attribute that ended a cycle, with the least value that allows another turn.
func bound(c *config.Cycle, f Facts) string {
	if least := f.Step() + c.EvalEverySteps; least > c.Trainer.MaxSteps {
		return fmt.Sprintf("max_steps of %s to %d", c.Trainer.Addr, least)
	}
	return fmt.Sprintf("max_cycles of %s to %d", c.Addr, len(f.Decisions)+1)
}

// configHalted says whether the configuration is still the one that the guard stopped.
func (f Facts) configHalted(c *config.Cycle) bool {
	last := f.Decisions[len(f.Decisions)-1]
	d := last.Inputs["configuration"]
	return d == "" || d == CycleDigest(c)
}

// Dry counts the cycles at the end that reached the gate's first step and brought no promotion. Cycles before
// min_steps_before_replace could not promote and do not count, nor do those against a generator that a person has
// replaced since.
func (f Facts) Dry() (n uint64) {
	for i := len(f.Decisions) - 1; i >= 0 && f.Decisions[i].Verdict != "PROMOTE" && f.Decisions[i].Epoch > f.switched(); i-- {
		if !f.Decisions[i].Early {
			n++
		}
	}
	return n
}
