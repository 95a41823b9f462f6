package plan

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"jupiter/plan/config"
	"jupiter/state"
)

// Pinned is the generator version that a cycle is held at: what its configuration says, else the last jupiter pin that
// was not taken back. 0: none. While it is held nothing is promoted.
func (f Facts) Pinned(c *config.Cycle) uint64 {
	if c.PinGenerator != 0 {
		return c.PinGenerator
	}
	if e := f.lastPin(); e != nil {
		return e.To
	}
	return 0
}

// PinnedByHand is the version that jupiter pin holds; 0: none.
func (f Facts) PinnedByHand() uint64 {
	if e := f.lastPin(); e != nil {
		return e.To
	}
	return 0
}

// lastPin is the pin that somebody set by hand and nobody took back, or nil. One that the configuration asked for ends
// with what asked for it.
func (f Facts) lastPin() *state.Event {
	for i := len(f.Events) - 1; i >= 0; i-- {
		switch e := &f.Events[i]; e.Act {
		case "pin":
			if e.Reason == PinnedByConfiguration {
				continue
			}
			return e
		case "unpin", "rollback", "adopt": // a later act says which generator is meant
			return nil
		}
	}
	return nil
}

// PinnedByConfiguration is the reason in the record of a pin that the configuration asked for.
const PinnedByConfiguration = "pin_generator in the configuration"

// pin finds out whether the turn is to begin with another generator than the one in use.
func (cp *CyclePlan) pin(c *config.Cycle, f Facts) error {
	if c.PinGenerator == 0 || c.PinGenerator == f.Current {
		return nil
	}
	rng := c.Attrs["pin_generator"].Range
	refuse := func(why string) error {
		return &RefusedError{hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Generator cannot be pinned", Subject: &rng,
			Detail: fmt.Sprintf("pin_generator = %d of %s: %s.", c.PinGenerator, c.Addr, why)}}}
	}
	if len(f.Generators) == 0 && c.PinGenerator == 1 {
		return nil // it is about to be made
	}
	for _, g := range f.Generators {
		switch {
		case g.Version != c.PinGenerator:
			continue
		case g.Withdrawn:
			return refuse(fmt.Sprintf("generator_v%d was withdrawn%s", g.Version, g.Because()))
		case g.Released:
			return refuse(fmt.Sprintf("the bytes of generator_v%d were let go", g.Version))
		}
		cp.Pin = g.Version
		return nil
	}
	return refuse(fmt.Sprintf("the history has %d versions", len(f.Generators)))
}

// ofGenerator says whether an action has to do with the generator in use, and not with the domain alone.
func (a *Action) ofGenerator() bool {
	return a.Kind != Collect && a.Kind != Benchmark && a.Kind != Real
}

// pinned is the line of a plan that puts the pinned generator to use.
func pinned(c *config.Cycle, cp *CyclePlan) Change {
	rng := c.Attrs["pin_generator"].Range
	was, now := fmt.Sprintf("v%d", cp.Generator), fmt.Sprintf("v%d", cp.Pin)
	return Change{Address: c.Addr.Child("current"), Kind: Pin, Op: Advance, Title: fmt.Sprintf("generator %s → %s, and held there", was, now),
		Reasons: []Reason{{Code: ConfigChanged, Names: []string{"pin_generator"}, Was: was, Now: now, File: rng.Filename, Line: rng.Start.Line}}}
}

// because says who did something by hand, when and why.
func because(e state.Event) string {
	t := fmt.Sprintf(" by %s on %s", e.Who, e.At.UTC().Format("2006-01-02"))
	if e.Reason != "" {
		t += fmt.Sprintf(" (%s)", e.Reason)
	}
	return t
}

// acts says what people did to a cycle by hand that still holds, until the configuration says the same or it is past.
func (f Facts) acts(c *config.Cycle) (notes []string) {
	if e := f.lastPin(); e != nil && c.PinGenerator != e.To {
		note := fmt.Sprintf("generator_v%d is pinned%s, and nothing is promoted. pin_generator = %d in the configuration says so to all; jupiter pin --release ends it.", e.To, because(*e), e.To)
		if c.PinGenerator != 0 {
			note = fmt.Sprintf("generator_v%d was pinned%s; the configuration says pin_generator = %d, and that holds.", e.To, because(*e), c.PinGenerator)
		}
		notes = append(notes, note)
	}
	promoted := uint64(0) // decisions up to the last promotion
	for _, d := range f.Decisions {
		if d.Promoted > 0 {
			promoted = d.Epoch
		}
	}
	what := map[string]string{"rollback": "a rollback", "adopt": "an adoption", "import": "an import", "pin": "a pin"}
	for i := len(f.Events) - 1; i >= 0; i-- { // the last act that put another generator to use, if no promotion came after it
		e := f.Events[i]
		if what[e.Act] == "" || e.To == 0 || e.From == e.To {
			continue
		}
		said := c.PinGenerator == f.Current || f.PinnedByHand() == f.Current || e.Act == "import" && c.Generator.Import != nil
		if e.To == f.Current && e.Epoch >= promoted && !said {
			notes = append(notes, fmt.Sprintf("generator_v%d is in use since %s%s.", e.To, what[e.Act], because(e)))
		}
		break
	}
	if e := f.imported(); e != nil && len(f.Decisions) == 0 && c.Trainer.Import == nil {
		notes = append(notes, fmt.Sprintf("the student starts from an import%s.", because(*e)))
	}
	for _, e := range f.Events {
		if e.Epoch != uint64(len(f.Decisions)) {
			continue
		}
		switch e.Act {
		case "quarantine":
			notes = append(notes, fmt.Sprintf("generator_v%d was quarantined%s: its samples leave the pool in the next turn.", e.To, because(e)))
		case "resume":
			notes = append(notes, fmt.Sprintf("the cycle was released%s, for one more turn at least.", because(e)))
		}
	}
	for _, d := range f.Decisions {
		if r := d.Resolution; r != nil && d.Epoch == uint64(len(f.Decisions)) {
			what := "rejected"
			if r.Approved {
				what = "approved"
			}
			notes = append(notes, fmt.Sprintf("the promotion of epoch %d was %s%s.", d.Epoch, what, because(state.Event{Who: r.Who, At: r.At, Reason: r.Reason})))
		}
	}
	return notes
}
