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
		{"moved", "recorded results are not carried over to another address", func(c *Config) (r []hcl.Range) {
			for _, m := range c.Moved {
				r = append(r, m.Range)
			}
			return r
		}},
		{"lifecycle", "recorded results are not protected against a plan that would replace them", ofStages("lifecycle")},
		{"timeouts", "the runs of a stage are not bounded in time", ofStages("timeouts")},
		{"budget", "the budget of a stage is not accounted for", ofStages("budget")},
		{"depends_on", "stages are ordered by what they hand to each other alone", ofStages("depends_on")},
		{"node", "all stages run on this machine", ofStages("node")},
		{"start", "a trainer starts from its own checkpoint or from nothing", ofStages("start")},
		{"a reference in a plugin's attribute", "results are not handed to a stage beyond those of its kind", func(c *Config) (r []hcl.Range) {
			for _, s := range c.Stages {
				for _, name := range sortedKeys(s.Body.Refs) {
					r = append(r, s.Body.Attrs[name].Range)
				}
			}
			return r
		}},
		{"a data set other than DOMAIN.real", "a trainer that stands alone learns from real data", func(c *Config) (r []hcl.Range) {
			for _, s := range c.Stages {
				if s.Dataset.Domain != "" && s.Dataset.Side != "real" {
					r = append(r, s.Attrs["dataset"].Range)
				}
			}
			return r
		}},
		{"pin_generator", "a generator is not held at a version", ofCycles("pin_generator")},
		{"budget", "the budget of a run is not accounted for", ofCycles("budget")},
		{"always_keep_base_generator = false", "the base generator is always kept", func(c *Config) (r []hcl.Range) {
			for _, k := range c.Cycles {
				if !k.AlwaysKeepBaseGenerator {
					r = append(r, k.Attrs["always_keep_base_generator"].Range)
				}
			}
			return r
		}},
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
