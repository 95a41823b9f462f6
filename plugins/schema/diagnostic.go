package schema

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"jupiter/plugins/proto/pluginv1"
)

// Diagnostic is what a plugin says about a configuration. Path leads from the stage's body to the place: attribute
// names, and indexes within their values. An empty path is about the whole block.
type Diagnostic struct {
	Severity hcl.DiagnosticSeverity
	Summary  string
	Detail   string
	Path     cty.Path
}

// DiagnosticFromProto reads a diagnostic. Its text comes from another program and is shown on a terminal: control
// characters become spaces, and length is bounded.
func DiagnosticFromProto(p *pluginv1.Diagnostic) Diagnostic {
	d := Diagnostic{Severity: hcl.DiagError, Summary: Printable(p.GetSummary(), 200), Detail: Printable(p.GetDetail(), 4000)}
	if p.GetSeverity() == pluginv1.Diagnostic_SEVERITY_WARNING {
		d.Severity = hcl.DiagWarning
	}
	if d.Summary == "" {
		d.Summary = "Refused by the plugin"
	}
	for i, s := range p.GetAttribute() {
		if i == 32 {
			break
		}
		switch s := s.GetStep().(type) {
		case *pluginv1.PathStep_Name:
			d.Path = append(d.Path, cty.GetAttrStep{Name: s.Name})
		case *pluginv1.PathStep_Key:
			d.Path = append(d.Path, cty.IndexStep{Key: cty.StringVal(s.Key)})
		case *pluginv1.PathStep_Index:
			d.Path = append(d.Path, cty.IndexStep{Key: cty.NumberIntVal(s.Index)})
		}
	}
	return d
}

// maxSaid bounds the errors, and the warnings, that a plugin may have about one configuration.
const maxSaid = 50

// Fewer leaves out what is more than anybody reads of what a plugin says about one configuration, and says so. One error
// stays one.
func Fewer(plugin string, said []Diagnostic) []Diagnostic {
	count := map[hcl.DiagnosticSeverity]int{}
	kept := slices.DeleteFunc(said, func(d Diagnostic) bool {
		count[d.Severity]++
		return count[d.Severity] > maxSaid
	})
	for _, s := range []hcl.DiagnosticSeverity{hcl.DiagError, hcl.DiagWarning} {
		if n := count[s] - maxSaid; n > 0 {
			kept = append(kept, Diagnostic{Severity: s, Summary: "More is not shown", Detail: fmt.Sprintf("Plugin %s says %d more of this kind about this block.", plugin, n)})
		}
	}
	return kept
}

// Printable makes text of another program fit to be shown on a terminal: valid UTF-8, at most limit characters, spaces for
// characters that control it. Line breaks stay.
func Printable(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if Controls(r) && r != '\n' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if r := []rune(s); len(r) > limit {
		s = string(r[:limit]) + "…"
	}
	return strings.TrimSpace(s)
}

// IsError says whether the configuration cannot work; else it is a warning.
func (d Diagnostic) IsError() bool { return d.Severity == hcl.DiagError }

// Controls says whether a character controls a terminal, or the direction in which it shows text.
func Controls(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

// HCL gives the diagnostic with the source range that its path leads to in body.
func (d Diagnostic) HCL(body hcl.Body) *hcl.Diagnostic {
	r := RangeOf(body, d.Path)
	return &hcl.Diagnostic{Severity: d.Severity, Summary: d.Summary, Detail: d.Detail, Subject: &r}
}

// RangeOf finds where in body a path leads: the narrowest part of the source that holds it. A path that leaves the
// source, through a reference or a default, ends where it leaves; one that is not there at all gives the place where it
// would be.
func RangeOf(body hcl.Body, path cty.Path) hcl.Range {
	if len(path) == 0 {
		return body.MissingItemRange()
	}
	name, ok := stepName(path[0])
	if !ok {
		return body.MissingItemRange()
	}
	// What does not fit the schema of the question is not this function's business: its diagnostics are dropped.
	content, _, _ := body.PartialContent(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: name}}})
	if a := content.Attributes[name]; a != nil {
		if len(path) == 1 {
			return a.Range
		}
		return rangeIn(a.Expr, path[1:])
	}
	for _, labels := range [][]string{nil, {"name"}} {
		content, _, _ := body.PartialContent(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: name, LabelNames: labels}}})
		if len(content.Blocks) > 0 {
			return rangeInBlocks(content.Blocks, path[1:], len(labels) > 0)
		}
	}
	return body.MissingItemRange()
}

// rangeInBlocks goes on within the blocks of one type: by label or by index where the path says which, else in the first.
func rangeInBlocks(blocks hcl.Blocks, path cty.Path, labelled bool) hcl.Range {
	block := blocks[0]
	if len(path) > 0 {
		label, isName := stepName(path[0])
		index, isIndex := stepIndex(path[0])
		switch {
		case labelled && isName:
			for _, b := range blocks {
				if b.Labels[0] == label {
					block = b
				}
			}
			path = path[1:]
		case isIndex:
			if index < len(blocks) {
				block = blocks[index]
			}
			path = path[1:]
		}
	}
	if len(path) == 0 {
		return block.DefRange
	}
	return RangeOf(block.Body, path)
}

func rangeIn(e hcl.Expression, path cty.Path) hcl.Range {
	for _, step := range path {
		var next hcl.Expression
		if i, ok := stepIndex(step); ok {
			if list, diags := hcl.ExprList(e); !diags.HasErrors() && i < len(list) {
				next = list[i]
			}
		} else if name, ok := stepName(step); ok {
			next = member(e, name)
		}
		if next == nil {
			break
		}
		e = next
	}
	return e.Range()
}

// member finds the value of a key that is written out in an object expression.
func member(e hcl.Expression, key string) hcl.Expression {
	pairs, diags := hcl.ExprMap(e)
	if diags.HasErrors() {
		return nil
	}
	for _, p := range pairs {
		if hcl.ExprAsKeyword(p.Key) == key {
			return p.Value
		}
		if v, diags := p.Key.Value(nil); !diags.HasErrors() && !v.IsMarked() && v.IsKnown() && !v.IsNull() && v.Type() == cty.String && v.AsString() == key {
			return p.Value
		}
	}
	return nil
}

// stepName gives the name or the string key of a step.
func stepName(s cty.PathStep) (string, bool) {
	switch s := s.(type) {
	case cty.GetAttrStep:
		return s.Name, true
	case cty.IndexStep:
		if s.Key.Type() == cty.String && s.Key.IsKnown() && !s.Key.IsNull() {
			return s.Key.AsString(), true
		}
	}
	return "", false
}

// stepIndex gives the index of a step into a list, which is at least 0.
func stepIndex(s cty.PathStep) (int, bool) {
	if s, ok := s.(cty.IndexStep); ok && s.Key.Type() == cty.Number && s.Key.IsKnown() && !s.Key.IsNull() {
		f := s.Key.AsBigFloat()
		if i, _ := f.Int64(); f.IsInt() && i >= 0 && i < 1<<31 {
			return int(i), true
		}
	}
	return 0, false
}
