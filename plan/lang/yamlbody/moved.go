package yamlbody

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// moved is an expression whose text does not stand in the source as it is: it is on several lines, or has escapes. Its
// own positions count in the decoded value; what leaves it is moved to the source.
type moved struct {
	hcl.Expression
	f *file
	o origin
}

func (m *moved) rng(r hcl.Range) hcl.Range {
	start := m.o.byte(r.Start.Byte)
	end := start
	if r.End.Byte > r.Start.Byte {
		end = m.o.byte(r.End.Byte-1) + 1
	}
	return m.f.span(start, max(start, end))
}

func (m *moved) diagnostics(diags hcl.Diagnostics) hcl.Diagnostics {
	for i, d := range diags {
		c := *d
		if d.Subject != nil {
			c.Subject = m.rng(*d.Subject).Ptr()
		}
		if d.Context != nil {
			c.Context = m.rng(*d.Context).Ptr()
		}
		diags[i] = &c
	}
	return diags
}

func (m *moved) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	v, diags := m.Expression.Value(ctx)
	return v, m.diagnostics(diags)
}

func (m *moved) Variables() []hcl.Traversal {
	var out []hcl.Traversal
	for _, t := range m.Expression.Variables() {
		out = append(out, m.traversal(t))
	}
	return out
}

func (m *moved) traversal(t hcl.Traversal) hcl.Traversal {
	out := make(hcl.Traversal, len(t))
	for i, step := range t {
		switch s := step.(type) {
		case hcl.TraverseRoot:
			s.SrcRange = m.rng(s.SrcRange)
			out[i] = s
		case hcl.TraverseAttr:
			s.SrcRange = m.rng(s.SrcRange)
			out[i] = s
		case hcl.TraverseIndex:
			s.SrcRange = m.rng(s.SrcRange)
			out[i] = s
		default:
			out[i] = step
		}
	}
	return out
}

func (m *moved) Range() hcl.Range      { return m.rng(m.Expression.Range()) }
func (m *moved) StartRange() hcl.Range { return m.rng(m.Expression.StartRange()) }

// What hcl reads of an expression without evaluating it, a type for instance, is moved as well.

func (m *moved) AsTraversal() hcl.Traversal {
	t, diags := hcl.AbsTraversalForExpr(m.Expression)
	if diags.HasErrors() {
		return nil
	}
	return m.traversal(t)
}

func (m *moved) ExprCall() *hcl.StaticCall {
	call, diags := hcl.ExprCall(m.Expression)
	if diags.HasErrors() {
		return nil
	}
	out := *call
	out.NameRange, out.ArgsRange, out.Arguments = m.rng(call.NameRange), m.rng(call.ArgsRange), m.all(call.Arguments)
	return &out
}

func (m *moved) ExprList() []hcl.Expression {
	list, diags := hcl.ExprList(m.Expression)
	if diags.HasErrors() {
		return nil
	}
	return m.all(list)
}

func (m *moved) ExprMap() []hcl.KeyValuePair {
	pairs, diags := hcl.ExprMap(m.Expression)
	if diags.HasErrors() {
		return nil
	}
	out := make([]hcl.KeyValuePair, len(pairs))
	for i, p := range pairs {
		out[i] = hcl.KeyValuePair{Key: m.part(p.Key), Value: m.part(p.Value)}
	}
	return out
}

func (m *moved) all(list []hcl.Expression) []hcl.Expression {
	out := make([]hcl.Expression, len(list))
	for i, e := range list {
		out[i] = m.part(e)
	}
	return out
}

func (m *moved) part(e hcl.Expression) hcl.Expression { return &moved{Expression: e, f: m.f, o: m.o} }
