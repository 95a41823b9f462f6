package plan

import (
	"sort"

	"github.com/hashicorp/hcl/v2"

	"jupiter/plan/addr"
	"jupiter/plugins/schema"
	"jupiter/state"
)

// Explanation is why an action would run or not, with all that its identity is made of.
type Explanation struct {
	Change
	ID      string          `json:"id"`      // "": an input is not known before the apply
	Lineage string          `json:"lineage"` // likewise
	Seed    *uint64         `json:"seed"`    // likewise null
	Parts   []ExplainedPart `json:"parts"`   // by name
}

// ExplainedPart is one part of an action's identity. A change of it makes the action run again, go on, or does nothing,
// as its effect says.
type ExplainedPart struct {
	Name   string  `json:"name"`
	Effect string  `json:"effect"` // rerun, advance, none
	Value  *string `json:"value"`  // null: not known before the apply, or a part of what is recorded only
	Was    *string `json:"was"`    // in the recorded result at this address; null: none, or no such part
	From   string  `json:"from"`   // of an input: the address that it comes from
	File   string  `json:"file"`   // where it is written; "": by default, or it is the core's own
	Line   int     `json:"line"`
}

// Explain finds the action at an address of a plan that was made from the same records. Where the plan has none there it
// tells what was recorded; it gives nil where nothing was.
func Explain(p *Plan, rec Recorded, at addr.Address) *Explanation {
	rec = afterMoves(rec, p.Moves)
	done := map[*Action]map[string]state.Output{}
	for _, c := range p.Cycles {
		for _, a := range c.Actions {
			ch := compare(a, rec, done)
			if a.Address == at {
				return explain(a, ch, rec, done)
			}
		}
	}
	var listed *Change // a line of records alone: what is forgotten, moved or pinned
	for i := range p.Changes {
		if p.Changes[i].Address == at {
			listed = &p.Changes[i]
		}
	}
	last := rec.Last(string(at))
	switch {
	case last == nil && listed == nil:
		return nil
	case last == nil:
		return &Explanation{Change: *listed, Parts: []ExplainedPart{}}
	}
	e := &Explanation{ID: last.ID, Lineage: last.Lineage, Parts: []ExplainedPart{},
		Change: Change{Address: at, Kind: Kind(last.Kind), Op: NoOp, Title: "no part of the next cycle", Reasons: []Reason{}}}
	if listed != nil {
		e.Change = *listed
	}
	e.recorded(last.Parts, nil, schema.None) // what is past stays as it is
	return e
}

func explain(a *Action, ch Change, rec Recorded, done map[*Action]map[string]state.Output) *Explanation {
	e := &Explanation{Change: ch, Parts: []ExplainedPart{}}
	inputs, unknown := a.Resolve(done)
	id := a.Identify(inputs)
	if len(unknown) == 0 && a.Kind != Promote {
		e.ID, e.Lineage, e.Seed = id.ID, id.Lineage, &id.Seed
	}
	var was map[string]string
	if last := rec.Last(string(a.Address)); last != nil {
		was = last.Parts
	}
	add := func(name, value string, known bool, effect schema.Effect, from addr.Address, at hcl.Range) {
		p := ExplainedPart{Name: name, Effect: effect.String(), From: string(from)}
		if known {
			p.Value = &value
		}
		if v, ok := was[name]; ok {
			p.Was = &v
		}
		if at.Filename != "" {
			p.File, p.Line = at.Filename, at.Start.Line
		}
		e.Parts = append(e.Parts, p)
	}
	seen := map[string]bool{}
	for _, p := range a.Parts {
		seen[p.Name] = true
		add(p.Name, p.Value, true, p.Effect, "", p.Range)
	}
	for _, in := range a.Inputs {
		var from addr.Address
		if in.From != nil {
			from = in.From.Address
		}
		names := []string{in.Name}
		if out, ok := done[in.From]; ok && in.Output == "*" {
			names = names[:0]
			for _, o := range sorted(out) {
				names = append(names, in.Name+"."+o)
			}
		}
		for _, n := range names {
			digest, known := inputs[n]
			seen["input."+n] = true
			add("input."+n, digest, known, schema.Rerun, from, hcl.Range{})
		}
	}
	e.recorded(was, seen, schema.Rerun)
	return e
}

// recorded adds the parts of a recorded result that the action of now does not have, and sorts.
func (e *Explanation) recorded(was map[string]string, seen map[string]bool, effect schema.Effect) {
	for _, name := range sorted(was) {
		if !seen[name] && name != "kind" {
			v := was[name]
			e.Parts = append(e.Parts, ExplainedPart{Name: name, Effect: effect.String(), Was: &v})
		}
	}
	sort.SliceStable(e.Parts, func(i, j int) bool { return e.Parts[i].Name < e.Parts[j].Name })
}
