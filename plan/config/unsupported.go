package config

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
)

// limit is a part of the language that is read and checked but that nothing acts on. It is refused rather than ignored.
type limit struct {
	name string // as the user writes it
	why  string // what does not act on it
	used func(*Config) []hcl.Range
}

// unsupported is the one list of them. Taking an entry out is all that it needs once the part is honoured.
func unsupported() []limit {
	return []limit{
		{"required_plugins", "only the plugins that come with the program can be used", func(c *Config) (r []hcl.Range) {
			for _, p := range c.Plugins {
				r = append(r, p.Range)
			}
			return r
		}},
		{"budget", "the budget of a stage is not accounted for", ofStages("budget")},
		{"budget", "the budget of a run is not accounted for", ofCycles("budget")},
	}
}

func ofStages(attr string) func(*Config) []hcl.Range {
	return func(c *Config) (r []hcl.Range) {
		for _, s := range c.Stages {
			if a, ok := s.Attrs[attr]; ok {
				r = append(r, a.Range)
			}
		}
		return r
	}
}

func ofCycles(attr string) func(*Config) []hcl.Range {
	return func(c *Config) (r []hcl.Range) {
		for _, k := range c.Cycles {
			if a, ok := k.Attrs[attr]; ok {
				r = append(r, a.Range)
			}
		}
		return r
	}
}

// ruleUnsupported refuses what nothing would act on.
func ruleUnsupported(c *Config) (diags hcl.Diagnostics) {
	for _, l := range unsupported() {
		for _, rng := range l.used(c) {
			diags = append(diags, problem(rng, "Not supported",
				fmt.Sprintf("This version of the program does not act on %s: %s. Take it out; it would have no effect.", l.name, l.why)))
		}
	}
	return diags
}
