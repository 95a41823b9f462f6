package config

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
)

// ruleStageBudget: a stage's budget bounds what the stage can use. A bound that can never be reached is a mistake.
func ruleStageBudget(c *Config) (diags hcl.Diagnostics) {
	for _, s := range c.Stages {
		rng := func(name string) hcl.Range { return at(s.Attrs, "budget."+name, s.Range) }
		if s.Kind == "verifier" {
			b := s.Budget
			for _, of := range []struct {
				name string
				set  bool
			}{{"tokens", b.Tokens > 0}, {"hours", b.Hours > 0}, {"usd", b.USD > 0}, {"disk_gb", b.DiskGB > 0}} {
				if of.set {
					diags = append(diags, problem(rng(of.name), "Budget of nothing", fmt.Sprintf(
						"%s works within the lines of other stages, so nothing is counted against a budget of its own. Give it to the cycle.", s.Addr)))
				}
			}
			continue
		}
		models := s.Kind == "generator" || s.Kind == "trainer" || s.Kind == "evaluator"
		if s.Budget.Tokens > 0 && !models {
			diags = append(diags, problem(rng("tokens"), "Budget of nothing", fmt.Sprintf(
				"%s runs no model, so no token is counted against this budget. Give it to a generator, a trainer, an evaluator or the cycle.", s.Addr)))
		}
		switch {
		case s.Budget.USD > 0 && s.Kind != "generator":
			diags = append(diags, problem(rng("usd"), "Budget of nothing", fmt.Sprintf(
				"Only the tokens of generators have a price, so nothing that %s does is counted against this budget. Give it to a generator or to the cycle.", s.Addr)))
		case s.Budget.USD > 0 && s.Prices == nil:
			diags = append(diags, unpriced(rng("usd"), s))
		}
	}
	return diags
}

// ruleCycleBudget: a budget of money needs the prices of all generators that could spend it.
func ruleCycleBudget(c *Config) (diags hcl.Diagnostics) {
	for _, k := range c.Cycles {
		if k.Budget.USD == 0 {
			continue
		}
		for i, g := range []*Stage{k.Generator, k.Successor} {
			if g.Prices == nil && (i == 0 || g != k.Generator) {
				diags = append(diags, unpriced(at(k.Attrs, "budget.usd", k.Range), g))
			}
		}
	}
	return diags
}

func unpriced(rng hcl.Range, g *Stage) *hcl.Diagnostic {
	return problem(rng, "Budget without a price", fmt.Sprintf(
		"%s has no prices, so this budget could not be checked. Add to it a block prices with version, usd_per_million_input and usd_per_million_output; "+
			"for a model that costs nothing to ask, both are 0.", g.Addr))
}
