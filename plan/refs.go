package plan

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"jupiter/plan/addr"
	"jupiter/plan/config"
)

// product is what a reference to an address hands over: an action's output, or an artifact that is there already.
type product struct {
	from   *Action
	output string
	digest string
}

// RefInput is the name of the input that a reference to a path becomes.
func RefInput(path string) string { return "ref." + path }

// refs gives each action the artifacts that its stages' attributes refer to.
func (x *expander) refs(c *config.Cycle, incumbent Input, real *Action) error {
	var table map[string]product
	for _, a := range *x.out {
		for _, path := range a.Refs {
			if table == nil {
				table = x.products(c, incumbent, real)
			}
			if slices.ContainsFunc(a.Inputs, func(in Input) bool { return in.Name == RefInput(path) }) {
				continue // of a domain that another cycle shares
			}
			p, ok := table[path]
			if !ok {
				return x.nowhere(a, path)
			}
			a.Inputs = append(a.Inputs, Input{Name: RefInput(path), From: p.from, Output: p.output, Digest: p.digest})
		}
	}
	return nil
}

// products lists what the turn has for references: a domain's sides, and what each stage gives.
func (x *expander) products(c *config.Cycle, incumbent Input, real *Action) map[string]product {
	t := map[string]product{
		string(c.Domain.Addr.Child("real")): {from: real, output: "records"},
		string(c.Generator.Addr):            {from: incumbent.From, output: incumbent.Output, digest: incumbent.Digest},
	}
	for _, a := range *x.out {
		switch a.Kind {
		case Pool:
			t[string(c.Domain.Addr.Child("synthetic"))] = product{from: a, output: "records"}
		case Mix:
			if a.Stage == c.Trainer {
				t[string(c.Domain.Addr.Child("mix"))] = product{from: a, output: "dataset"}
			}
		case Verify:
			if v := c.Domain.Verifier; v != nil {
				t[string(v.Addr)] = product{from: a, output: "records"}
			}
		case Filter:
			t[string(a.Stage.Addr)] = product{from: a, output: "records"}
		case Select: // of the windows of a trainer that stands alone the last
			t[string(a.Stage.Addr)] = product{from: a, output: "checkpoint"}
			if a.Stage == c.Trainer {
				t[string(c.Exporter.Addr)] = product{from: a, output: "model"}
			}
		case Evaluate:
			t[string(a.Stage.Addr)] = product{from: a, output: "items"}
		}
	}
	return t
}

// nowhere says that a reference leads to what the turn does not make.
func (x *expander) nowhere(a *Action, path string) error {
	var rng hcl.Range
	for _, p := range a.Parts {
		if p.Value == path {
			rng = p.Range
		}
	}
	return &RefusedError{hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Nothing to hand over", Subject: &rng,
		Detail: fmt.Sprintf("%s refers to %s, and the next turn does not make it: the stage is in another cycle, or what it makes is history.", a.Address, addr.Address(path))}}}
}
