package config

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
)

// importFeature is the feature of a stage that takes models from elsewhere.
const importFeature = "import"

// Imports says whether the stage takes models from elsewhere.
func (s *Stage) Imports() bool {
	return s.Body.Schema != nil && contains(s.Body.Schema.Features, importFeature)
}

// ruleImport: who is to run or to start from a model from elsewhere can take it. Whether the file is there, and what is
// in it, is looked at when it is imported: afterwards its content is in the store, and it may be gone.
func ruleImport(c *Config) (diags hcl.Diagnostics) {
	for _, s := range c.Stages {
		if s.Import == nil || s.Body.Schema == nil || s.Imports() {
			continue
		}
		diags = append(diags, problem(at(s.Attrs, s.Import.Attr, s.Range), "No models from elsewhere", fmt.Sprintf(
			"%s %q takes no models from elsewhere, so %s cannot be the path of one.", s.Kind, s.Type, s.Import.Attr)))
	}
	return diags
}

// ruleImportRunner: the block that runs promoted students runs an imported base too, since one block asks both
// contestants.
func ruleImportRunner(c *Config) (diags hcl.Diagnostics) {
	for _, k := range c.Cycles {
		from, run := k.Generator.Body.Schema, k.Successor.Body.Schema
		if k.Generator.Import == nil || from == nil || run == nil || from.Type == run.Type || overlap(from.Consumes, run.Consumes) {
			continue
		}
		diags = append(diags, problem(at(k.Attrs, "successor", k.Range), "Nothing compares student and base", fmt.Sprintf(
			"The base of %s is imported for generator %q, and %s, which asks both contestants of an evaluation, runs other models.", k.Addr, from.Type, k.Successor.Addr)))
	}
	return diags
}
