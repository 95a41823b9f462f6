package yamlbody

import (
	"fmt"
	"math/big"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"gopkg.in/yaml.v3"

	"jupiter/plan/lang"
)

// expression is a node read as an expression.
type expression struct {
	f   *file
	n   *yaml.Node
	rng hcl.Range

	template hcl.Expression // parsed on first use
	broken   hcl.Diagnostics
}

func (e *expression) Range() hcl.Range      { return e.rng }
func (e *expression) StartRange() hcl.Range { return e.rng }

func (e *expression) child(n *yaml.Node) *expression {
	return &expression{f: e.f, n: n, rng: e.f.rangeOf(n)}
}

// isTemplate says whether a scalar is an HCL template rather than plain text.
func isTemplate(n *yaml.Node) bool {
	t := n.ShortTag()
	return (t == "!!str" || t == "!!timestamp") && (strings.Contains(n.Value, "${") || strings.Contains(n.Value, "%{"))
}

func (e *expression) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	n := follow(e.n)
	switch n.Kind {
	case yaml.SequenceNode:
		var diags hcl.Diagnostics
		vals := make([]cty.Value, len(n.Content))
		for i, c := range n.Content {
			v, more := e.child(c).Value(ctx)
			vals[i], diags = v, append(diags, more...)
		}
		return cty.TupleVal(vals), diags
	case yaml.MappingNode:
		return e.object(n, ctx)
	}
	if isTemplate(n) {
		t, diags := e.parse(n)
		if diags.HasErrors() {
			return cty.DynamicVal, diags
		}
		return t.Value(ctx)
	}
	v, problem := scalar(n)
	if problem != "" {
		return cty.DynamicVal, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Invalid value", Detail: problem, Subject: &e.rng}}
	}
	return v, nil
}

func (e *expression) object(n *yaml.Node, ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	var diags hcl.Diagnostics
	vals := map[string]cty.Value{}
	for _, p := range pairs(n) {
		name := p.name()
		if k := follow(p.key); isTemplate(k) {
			v, more := e.child(p.key).Value(ctx)
			diags = append(diags, more...)
			v, _ = v.Unmark()
			if more.HasErrors() || !v.IsKnown() {
				continue
			}
			if v.IsNull() || v.Type() != cty.String {
				rng := e.f.rangeOf(p.key)
				diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Key is not text",
					Detail: "A key of a mapping must evaluate to a text.", Subject: &rng})
				continue
			}
			name = v.AsString()
		}
		v, more := e.child(p.val).Value(ctx)
		vals[name], diags = v, append(diags, more...)
	}
	return cty.ObjectVal(vals), diags
}

func (e *expression) Variables() []hcl.Traversal {
	n := follow(e.n)
	switch n.Kind {
	case yaml.SequenceNode:
		var all []hcl.Traversal
		for _, c := range n.Content {
			all = append(all, e.child(c).Variables()...)
		}
		return all
	case yaml.MappingNode:
		var all []hcl.Traversal
		for _, p := range pairs(n) {
			if isTemplate(follow(p.key)) {
				all = append(all, e.child(p.key).Variables()...)
			}
			all = append(all, e.child(p.val).Variables()...)
		}
		return all
	}
	if isTemplate(n) {
		if t, diags := e.parse(n); !diags.HasErrors() {
			return t.Variables()
		}
	}
	return nil
}

// parse reads a scalar as a template.
func (e *expression) parse(n *yaml.Node) (hcl.Expression, hcl.Diagnostics) {
	if e.template == nil && e.broken == nil {
		e.template, e.broken = e.f.parse(n, func(src []byte, start hcl.Pos) (hcl.Expression, hcl.Diagnostics) {
			if err := lang.CheckNesting(src, true); err != nil {
				return nil, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Nested too deeply", Detail: err.Error() + ".", Subject: &e.rng}}
			}
			if at, found := lang.HugeNumber(src, true, e.f.name, start); found {
				return nil, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Invalid value", Detail: lang.ErrHugeNumber.Error() + ".", Subject: &at}}
			}
			expr, diags := hclsyntax.ParseTemplate(src, e.f.name, start)
			return expr, lang.FirstErrors(diags)
		})
	}
	return e.template, e.broken
}

// parse runs an HCL parser over a scalar so that positions are those of the YAML file.
func (f *file) parse(n *yaml.Node, parse func([]byte, hcl.Pos) (hcl.Expression, hcl.Diagnostics)) (hcl.Expression, hcl.Diagnostics) {
	o := f.locate(n)
	if f.straight(o, n.Value) {
		return parse([]byte(n.Value), f.at(o.from))
	}
	m := &moved{f: f, o: o}
	expr, diags := parse([]byte(n.Value), hcl.InitialPos)
	m.Expression = expr
	if diags = m.diagnostics(diags); diags.HasErrors() {
		return nil, diags
	}
	return m, diags
}

var (
	decimal = regexp.MustCompile(`^[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?$`)
	octal   = regexp.MustCompile(`^[-+]?0\d+$`)
)

// scalar is the value of a scalar that is no template, or what is wrong with it.
func scalar(n *yaml.Node) (cty.Value, string) {
	switch n.ShortTag() {
	case "!!null":
		return cty.NullVal(cty.DynamicPseudoType), ""
	case "!!bool":
		switch strings.ToLower(n.Value) {
		case "true":
			return cty.True, ""
		case "false":
			return cty.False, ""
		}
		return cty.NilVal, fmt.Sprintf("%q is neither true nor false.", n.Value)
	case "!!int", "!!float":
		return number(n.Value)
	}
	return cty.StringVal(n.Value), ""
}

func number(text string) (cty.Value, string) {
	s := strings.ReplaceAll(text, "_", "")
	switch {
	case octal.MatchString(s):
		return cty.NilVal, fmt.Sprintf("%s is an octal number in some YAML and a decimal one in other. Write it without the leading zero, or in quotes if it is a text.", text)
	case lang.HugeText(s):
		return cty.NilVal, fmt.Sprintf("%s is out of range: %s.", text, lang.ErrHugeNumber)
	case decimal.MatchString(s):
		v, err := cty.ParseNumberVal(strings.TrimPrefix(s, "+"))
		if err != nil {
			return cty.NilVal, fmt.Sprintf("%s is not a number that can be represented.", text)
		}
		return v, ""
	}
	if i, ok := new(big.Int).SetString(s, 0); ok {
		return cty.NumberVal(new(big.Float).SetInt(i)), ""
	}
	return cty.NilVal, fmt.Sprintf("%s is not a finite number.", text)
}

// AsTraversal, ExprCall, ExprList and ExprMap let a plain text stand where HCL wants a keyword, a type or an address: type:
// list(string), from: trainer.llama.old.

func (e *expression) AsTraversal() hcl.Traversal {
	n := follow(e.n)
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" {
		return nil
	}
	t, diags := hclsyntax.ParseTraversalAbs([]byte(n.Value), e.f.name, hcl.InitialPos)
	if diags.HasErrors() {
		return nil
	}
	return (&moved{f: e.f, o: e.f.locate(n)}).traversal(t)
}

func (e *expression) ExprCall() *hcl.StaticCall {
	n := follow(e.n)
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" || len(n.Value) > 64<<10 {
		return nil
	}
	expr, diags := e.f.parse(n, func(src []byte, start hcl.Pos) (hcl.Expression, hcl.Diagnostics) {
		return hclsyntax.ParseExpression(src, e.f.name, start)
	})
	if diags.HasErrors() {
		return nil
	}
	call, diags := hcl.ExprCall(expr)
	if diags.HasErrors() {
		return nil
	}
	return call
}

func (e *expression) ExprList() []hcl.Expression {
	n := follow(e.n)
	if n.Kind != yaml.SequenceNode {
		return nil
	}
	out := make([]hcl.Expression, len(n.Content))
	for i, c := range n.Content {
		out[i] = e.child(c)
	}
	return out
}

func (e *expression) ExprMap() []hcl.KeyValuePair {
	n := follow(e.n)
	if n.Kind != yaml.MappingNode {
		return nil
	}
	var out []hcl.KeyValuePair
	for _, p := range pairs(n) {
		out = append(out, hcl.KeyValuePair{Key: e.child(p.key), Value: e.child(p.val)})
	}
	return out
}
