package lang

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// Scope holds the names of one module and evaluates each of them once.
type Scope struct {
	base  *hcl.EvalContext // functions and path
	nodes map[string]*node
	order []string            // in the order of declaration
	types map[string][]string // root → what is declared below it, for suggestions
	stack []string            // names being evaluated, outermost first
	diags hcl.Diagnostics     // of evaluated names
}

type node struct {
	rng   hcl.Range
	eval  func() (cty.Value, hcl.Diagnostics)
	val   cty.Value
	state nodeState
}

type nodeState int

const (
	waiting nodeState = iota
	running
	done
)

// Each is what for_each gives to one instance of a block.
type Each struct{ Key, Value cty.Value }

// NewScope makes the scope of a module whose files are read below the directory that files names.
func NewScope(files Files) *Scope {
	return &Scope{
		base: &hcl.EvalContext{
			Functions: Functions(files),
			Variables: map[string]cty.Value{"path": cty.ObjectVal(map[string]cty.Value{
				"module": cty.StringVal(files.Path()),
				"root":   cty.StringVal("."),
			})},
		},
		nodes: map[string]*node{},
		types: map[string][]string{},
	}
}

// Declare adds a name, such as "local.window" or "trainer.llama.base". eval is called once, when something refers to
// the name or by Force. A name that is declared twice keeps its first meaning; the caller reports it.
func (s *Scope) Declare(name string, rng hcl.Range, eval func() (cty.Value, hcl.Diagnostics)) {
	if s.nodes[name] != nil {
		return
	}
	s.nodes[name] = &node{rng: rng, eval: eval}
	s.order = append(s.order, name)
	root, _, _ := strings.Cut(name, ".")
	s.types[root] = append(s.types[root], name)
}

// Force evaluates what nothing has referred to yet and returns what was wrong with any declared name.
func (s *Scope) Force() hcl.Diagnostics {
	for _, name := range s.order {
		s.value(name)
	}
	return s.diags
}

// Value is the value of a declared name, unknown where its evaluation went wrong.
func (s *Scope) Value(name string) cty.Value { return s.value(name) }

func (s *Scope) value(name string) cty.Value {
	n := s.nodes[name]
	switch n.state {
	case done:
		return n.val
	case running:
		s.diags = append(s.diags, s.loop(name))
		return cty.DynamicVal
	}
	n.state = running
	s.stack = append(s.stack, name)
	v, diags := n.eval()
	s.stack = s.stack[:len(s.stack)-1]
	s.diags = append(s.diags, diags...)
	if v == cty.NilVal {
		v = cty.DynamicVal
	}
	n.val, n.state = v, done
	return v
}

// loop describes the reference cycle that closes at name.
func (s *Scope) loop(name string) *hcl.Diagnostic {
	at := 0
	for i, n := range s.stack {
		if n == name {
			at = i
		}
	}
	path := append(append([]string{}, s.stack[at:]...), name)
	return LoopDiagnostic(path, s.nodes[name].rng)
}

// LoopDiagnostic says that following path comes back to where it began.
func LoopDiagnostic(path []string, rng hcl.Range) *hcl.Diagnostic {
	detail := fmt.Sprintf("%s refers to itself.", path[0])
	if len(path) > 2 {
		detail = fmt.Sprintf("These refer to each other in a circle: %s.", strings.Join(path, " → "))
	}
	return &hcl.Diagnostic{
		Severity: hcl.DiagError, Summary: "Reference cycle",
		Detail:  detail + " None of them can be evaluated first; take one reference out.",
		Subject: &rng,
	}
}

// Eval evaluates an expression with the names that it refers to. each may be nil.
func (s *Scope) Eval(expr hcl.Expression, each *Each) (cty.Value, hcl.Diagnostics) {
	refs := expr.Variables()
	ctx, diags := s.Context(refs, each)
	if diags.HasErrors() {
		return cty.DynamicVal, diags
	}
	v, more := expr.Value(ctx)
	return v, s.Explain(more, refs, ctx)
}

// Context makes the evaluation context for expressions with these references. Wrong references are diagnostics, and
// are unknown values in the context.
func (s *Scope) Context(refs []hcl.Traversal, each *Each) (*hcl.EvalContext, hcl.Diagnostics) {
	if len(refs) == 0 {
		return s.base, nil
	}
	var diags hcl.Diagnostics
	one := map[string]map[string]cty.Value{}            // root → label → value
	two := map[string]map[string]map[string]cty.Value{} // root → type → name → value
	vars := map[string]cty.Value{}
	var broken []string // roots that a wrong reference starts with
	for _, t := range refs {
		ref, more := ParseReference(t)
		if more.HasErrors() {
			diags = append(diags, more...)
			broken = append(broken, ref.Root)
			continue
		}
		v, more := s.resolve(ref, each)
		diags = append(diags, more...)
		switch len(ref.Labels) {
		case 0:
			if ref.Root == "each" {
				vars["each"] = v
			}
		case 1:
			put(one, ref.Root, ref.Labels[0], v)
		case 2:
			if two[ref.Root] == nil {
				two[ref.Root] = map[string]map[string]cty.Value{}
			}
			put(two[ref.Root], ref.Labels[0], ref.Labels[1], v)
		}
	}
	for root, m := range one {
		vars[root] = cty.ObjectVal(m)
	}
	for root, types := range two {
		m := map[string]cty.Value{}
		for t, names := range types {
			m[t] = cty.ObjectVal(names)
		}
		vars[root] = cty.ObjectVal(m)
	}
	for _, root := range broken {
		vars[root] = cty.DynamicVal // the reference was reported; what is made of it is unknown
	}
	ctx := s.base.NewChild()
	if _, ok := vars["path"]; !ok {
		vars["path"] = s.base.Variables["path"] // the nearest context with variables answers for all roots
	}
	ctx.Variables = vars
	return ctx, diags
}

func put(m map[string]map[string]cty.Value, a, b string, v cty.Value) {
	if m[a] == nil {
		m[a] = map[string]cty.Value{}
	}
	m[a][b] = v
}

// resolve gives the value of what ref names.
func (s *Scope) resolve(ref Reference, each *Each) (cty.Value, hcl.Diagnostics) {
	switch ref.Root {
	case "path":
		return cty.NilVal, nil
	case "each":
		if each == nil {
			return cty.DynamicVal, hcl.Diagnostics{{
				Severity: hcl.DiagError, Summary: "No for_each here",
				Detail:  "each.key and each.value exist only in a block that has for_each.",
				Subject: ref.Range.Ptr(),
			}}
		}
		return cty.ObjectVal(map[string]cty.Value{"key": each.Key, "value": each.Value}), nil
	}
	name := ref.Name()
	n := s.nodes[name]
	if n == nil {
		return cty.DynamicVal, s.undeclared(ref)
	}
	if diags := addressOnly(ref); diags != nil {
		return cty.DynamicVal, diags
	}
	return s.value(name), nil
}

// addressOnly refuses to read attributes of what has an address and no value.
func addressOnly(ref Reference) hcl.Diagnostics {
	if len(ref.Rest) == 0 {
		return nil
	}
	step, isAttr := ref.Rest[0].(hcl.TraverseAttr)
	switch {
	case !isAttr:
		return nil // an instance of for_each
	case labels(ref.Root) == 2 || ref.Root == "cluster":
		return hcl.Diagnostics{{
			Severity: hcl.DiagError, Summary: "A reference is an address",
			Detail: fmt.Sprintf("%s names a block, and its attributes cannot be read. Put a shared value into locals and use it in both places.",
				ref.Name()),
			Subject: hcl.RangeBetween(ref.Range, step.SrcRange).Ptr(),
		}}
	case ref.Root == "self_improvement" && StateSides[step.Name] == cty.NilType:
		return hcl.Diagnostics{{
			Severity: hcl.DiagError, Summary: "Unknown attribute",
			Detail: fmt.Sprintf("A cycle has current, version, score and step, and no %q.%s",
				step.Name, DidYouMean(step.Name, slices.Sorted(maps.Keys(StateSides)))),
			Subject: step.SrcRange.Ptr(),
		}}
	}
	return nil
}

func (s *Scope) undeclared(ref Reference) hcl.Diagnostics {
	name := ref.Name()
	declared := s.types[ref.Root]
	hint := DidYouMean(name, slices.DeleteFunc(slices.Clone(declared), func(d string) bool { return !alike(name, d) }))
	if hint == "" {
		switch n := len(declared); {
		case n == 0:
			hint = fmt.Sprintf(" This module declares nothing that starts with %s.", ref.Root)
		case n <= 8:
			hint = " There is " + strings.Join(declared, ", ") + "."
		}
	}
	return hcl.Diagnostics{{
		Severity: hcl.DiagError, Summary: "Unknown reference",
		Detail:  fmt.Sprintf("%s is not declared in this module.%s", name, hint),
		Subject: &ref.Range,
	}}
}

// alike says whether two names are near each other in every part, so that nothing is offered for a part that is all wrong.
func alike(a, b string) bool {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] && DidYouMean(x[i], y[i:i+1]) == "" {
			return false
		}
	}
	return true
}

// Explain adds to diagnostics about a missing attribute which attribute may have been meant.
func (s *Scope) Explain(diags hcl.Diagnostics, refs []hcl.Traversal, ctx *hcl.EvalContext) hcl.Diagnostics {
	for _, d := range diags {
		for _, t := range refs {
			if d.Subject == nil || !d.Subject.Overlaps(t.SourceRange()) {
				continue
			}
			if hint := missingAttr(t, ctx); hint != "" && !strings.Contains(d.Detail, hint) {
				d.Detail += hint
			}
		}
	}
	return diags
}

// missingAttr walks t through ctx to the attribute that is not there and suggests another.
func missingAttr(t hcl.Traversal, ctx *hcl.EvalContext) string {
	v, ok := ctx.Variables[t.RootName()]
	for i := 1; ok && i < len(t); i++ {
		if v.IsMarked() || v.IsNull() || !v.IsKnown() {
			return ""
		}
		step, isAttr := t[i].(hcl.TraverseAttr)
		if !isAttr || !v.Type().IsObjectType() {
			return ""
		}
		if !v.Type().HasAttribute(step.Name) {
			names := slices.Sorted(maps.Keys(v.Type().AttributeTypes()))
			if hint := DidYouMean(step.Name, names); hint != "" {
				return hint
			}
			if len(names) > 0 && len(names) <= 8 {
				return " There is " + strings.Join(names, ", ") + "."
			}
			return ""
		}
		v = v.GetAttr(step.Name)
	}
	return ""
}
