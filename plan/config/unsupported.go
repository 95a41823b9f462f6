package config

import (
	"github.com/hashicorp/hcl/v2"
)

// ruleUnsupported refuses the one part of the language that is read and checked and that nothing would act on.
func ruleUnsupported(c *Config) (diags hcl.Diagnostics) {
	for _, p := range c.Plugins {
		diags = append(diags, problem(p.Range, "Not supported", "This version of the program does not act on required_plugins: "+
			"only the plugins that come with the program can be used. Take it out; it would have no effect."))
	}
	return diags
}
