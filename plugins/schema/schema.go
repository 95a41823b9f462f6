// Package schema turns the schemas that plugins send into what the configuration language needs: an hcldec spec to
// decode a block with, the effect of a change of each attribute, and the source range behind a plugin's attribute path.
package schema

import (
	"github.com/zclconf/go-cty/cty"
)

// Effect is what a change of an attribute does to work already done.
type Effect int

const (
	Rerun   Effect = iota // the stage starts over
	Advance               // more of the same: the stage goes on from where it stands
	None                  // operational only
)

// Stage is one implementation that a plugin offers, as the core sees it.
type Stage struct {
	Plugin   string // name of the plugin that serves it
	Version  string // of the plugin, for people
	Kind     string // collector, generator, filter, verifier, trainer, evaluator, exporter
	Type     string
	Revision uint32

	Deterministic, Resumable, NeedsNetwork, Concurrent bool
	Consumes, Produces                                 []string // media types
	Features                                           []string

	Description string
	Attributes  []Attribute // sorted by name
	Blocks      []Block     // sorted by type
}

// Attribute is one attribute of a stage's body.
type Attribute struct {
	Name        string
	Type        cty.Type // may be an object type with optional attributes
	Required    bool
	Default     cty.Value // cty.NilVal: null
	Sensitive   bool
	Description string
	Effect      Effect
	Deprecated  string
	Accepts     []string // media types of the artifact that a reference may name; empty: a plain value
	Environment bool     // its text names a variable of the user's environment, which the stage's processes are given
}

// Block is a nested block of a stage's body.
type Block struct {
	Type       string
	Nesting    string // single, list, map
	MinItems   uint32
	MaxItems   uint32
	Attributes []Attribute
	Blocks     []Block
}

// Secrets are the texts in the sensitive attributes of a body's value.
func (s *Stage) Secrets(v cty.Value) (all []string) {
	if v.IsNull() {
		return nil
	}
	m := v.AsValueMap()
	for _, a := range s.Attributes {
		x, ok := m[a.Name]
		if !ok || !a.Sensitive {
			continue
		}
		_ = cty.Walk(x, func(_ cty.Path, e cty.Value) (bool, error) {
			if e.Type() == cty.String && e.IsKnown() && !e.IsNull() {
				all = append(all, e.AsString())
			}
			return true, nil
		})
	}
	return all
}

// Variables are the variables of the user's environment that a body's value names for the stage's processes.
func (s *Stage) Variables(v cty.Value) (names []string) {
	if v.IsNull() {
		return nil
	}
	m := v.AsValueMap()
	for _, a := range s.Attributes {
		if x, ok := m[a.Name]; ok && a.Environment && x.IsKnown() && !x.IsNull() && x.AsString() != "" {
			names = append(names, x.AsString())
		}
	}
	return names
}

// Decisive is the value of an attribute or a block of the body, a block without what is operational in it: what a result
// depends on.
func (s *Stage) Decisive(name string, v cty.Value) cty.Value {
	for _, b := range s.Blocks {
		if b.Type == name && b.Nesting == "single" && !v.IsNull() {
			m := v.AsValueMap()
			for _, a := range b.Attributes {
				if a.Effect == None {
					delete(m, a.Name)
				}
			}
			return cty.ObjectVal(m)
		}
	}
	return v
}

// Public is a body's value with its sensitive attributes null: what may be written down. A secret is no part of what a
// stage does, so another key changes no result.
func (s *Stage) Public(v cty.Value) cty.Value {
	if v.IsNull() {
		return v
	}
	m := v.AsValueMap()
	for _, a := range s.Attributes {
		if x, ok := m[a.Name]; ok && a.Sensitive {
			m[a.Name] = cty.NullVal(x.Type())
		}
	}
	return cty.ObjectVal(m)
}
