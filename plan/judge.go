package plan

import (
	"fmt"

	"jupiter/plan/addr"
	"jupiter/plan/config"
)

// The actions here are not lines of a plan: whether and how often they run is found out while a line runs. They are
// memoised like any other, so that a crash in the middle of a selection costs one checkpoint's scores and no more.

// ExportOf is the export of one checkpoint. base is the imported one that its training began with; "": none.
func ExportOf(at addr.Address, j *Judges, checkpoint, base string) (*Action, error) {
	a := &Action{Address: at.Child("export"), Kind: Export, Stage: j.Exporter, Judges: j, Title: "checkpoint in the generator's format"}
	if err := a.exporter(j.Exporter); err != nil {
		return nil, err
	}
	a.input("checkpoint", checkpoint, "")
	a.input("base", base, "")
	return a, nil
}

// ValidateOf is one model's scores on a split that is not the gate.
func ValidateOf(at addr.Address, d *config.Domain, j *Judges, split, model, benchmark string) (*Action, error) {
	a := &Action{Address: at.Child("scores"), Kind: Validate, Stage: j.Evaluator, Domain: d, Judges: j, Title: fmt.Sprintf("scores on %q", split)}
	a.part("split", split)
	if err := a.judge(j); err != nil {
		return nil, err
	}
	a.input("challenger", model, "")
	a.input("benchmark", benchmark, "")
	return a, nil
}

// GateOf is both contestants' answers to the whole gate pool.
func GateOf(c *config.Cycle, at addr.Address, j *Judges, challenger, incumbent, benchmark string) (*Action, error) {
	a := &Action{Address: at.Child("gate"), Kind: Evaluate, Cycle: c, Stage: j.Evaluator, Domain: c.Domain, Judges: j, Title: "candidate against incumbent on the gate pool"}
	a.part("split", "gate")
	if err := a.judge(j); err != nil {
		return nil, err
	}
	a.input("challenger", challenger, "")
	a.input("incumbent", incumbent, "")
	a.input("benchmark", benchmark, "")
	return a, nil
}

// MeasureOf is what the guard wants to know of a model other than the candidate: the incumbent, the reference.
func MeasureOf(at addr.Address, d *config.Domain, j *Judges, model, benchmark string) (*Action, error) {
	a := &Action{Address: at, Kind: Measure, Domain: d, Judges: j, Title: fmt.Sprintf("diversity and held-out loss over %d raw samples", j.Samples)}
	a.number("samples", j.Samples)
	if err := a.judge(j); err != nil {
		return nil, err
	}
	a.input("model", model, "")
	a.input("benchmark", benchmark, "")
	return a, nil
}
