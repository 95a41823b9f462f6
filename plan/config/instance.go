package config

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"jupiter/plan/addr"
	"jupiter/plan/lang"
)

// maxCalls bounds how deep modules call each other.
const maxCalls = 20

// instance is one evaluation of a module: the root, or a call of a module with its arguments.
type instance struct {
	l      *loader
	mod    *module
	at     addr.Address
	parent *instance
	scope  *lang.Scope
	args   map[string]argument // values for its variables

	vars     []*variable
	calls    []*call // in the order of declaration
	repeated map[*hcl.Block]*repetition
	outputs  []*hcl.Block
}

// argument is a value given to a variable, and where.
type argument struct {
	val cty.Value
	rng hcl.Range
}

func (l *loader) instance(mod *module, at addr.Address, parent *instance) *instance {
	return &instance{
		l: l, mod: mod, at: at, parent: parent, repeated: map[*hcl.Block]*repetition{},
		scope: lang.NewScope(lang.Files{Root: l.root, Module: mod.abs}),
	}
}

func (in *instance) fail(rng hcl.Range, summary, format string, args ...any) {
	in.l.add(&hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(format, args...), Subject: &rng})
}

// evaluate declares the module's names and evaluates them all.
func (in *instance) evaluate() {
	first := map[string]hcl.Range{}
	declare := func(name string, rng hcl.Range, eval func() (cty.Value, hcl.Diagnostics)) bool {
		if at, dup := first[name]; dup {
			in.fail(rng, "Duplicate name", "%s was already declared at %s.", name, at)
			return false
		}
		first[name] = rng
		in.scope.Declare(name, rng, eval)
		return true
	}
	for _, b := range in.mod.blocks["variable"] {
		v := in.variable(b)
		if declare("var."+b.Labels[0], b.DefRange, v.value) {
			in.vars = append(in.vars, v)
		}
	}
	for _, b := range in.mod.blocks["locals"] {
		in.locals(b, declare)
	}
	for _, b := range in.mod.blocks["module"] {
		c := in.call(b)
		if declare("module."+b.Labels[0], b.DefRange, c.value) {
			in.calls = append(in.calls, c)
		}
	}
	in.declareBlocks(declare)
	for _, b := range in.mod.blocks["output"] {
		if declare("output."+b.Labels[0], b.DefRange, in.outputValue(b)) {
			in.outputs = append(in.outputs, b)
		}
	}
	in.unknownArgs()
	in.l.add(in.scope.Force()...)
	for _, v := range in.vars {
		v.validate()
	}
}

type declareFunc func(name string, rng hcl.Range, eval func() (cty.Value, hcl.Diagnostics)) bool

func (in *instance) locals(b *hcl.Block, declare declareFunc) {
	attrs, diags := b.Body.JustAttributes()
	in.l.add(diags...)
	for _, a := range inOrder(attrs) {
		declare("local."+a.Name, a.Range, func() (cty.Value, hcl.Diagnostics) { return in.scope.Eval(a.Expr, nil) })
	}
}

// declareBlocks declares what has an address: domains, clusters, stages, cycles.
func (in *instance) declareBlocks(declare declareFunc) {
	for _, b := range in.mod.blocks["domain"] {
		declare("domain."+b.Labels[0], b.DefRange, func() (cty.Value, hcl.Diagnostics) { return in.domainValue(b) })
	}
	for _, b := range in.mod.blocks["cluster"] {
		ref := lang.Ref{Addr: addr.Block(in.at, "cluster", b.Labels...), Kind: "cluster"}
		declare("cluster."+b.Labels[0], b.DefRange, func() (cty.Value, hcl.Diagnostics) { return lang.RefVal(ref), nil })
	}
	for _, kind := range lang.StageKinds {
		for _, b := range in.mod.blocks[kind] {
			name := kind + "." + b.Labels[0] + "." + b.Labels[1]
			declare(name, b.DefRange, func() (cty.Value, hcl.Diagnostics) { return in.stageValue(b), nil })
		}
	}
	for _, b := range in.mod.blocks["self_improvement"] {
		a := addr.Block(in.at, "self_improvement", b.Labels...)
		declare("self_improvement."+b.Labels[0], b.DefRange, func() (cty.Value, hcl.Diagnostics) { return stateValue(a), nil })
	}
}

// domainValue is the domain as references see it.
func (in *instance) domainValue(b *hcl.Block) (cty.Value, hcl.Diagnostics) {
	verifier := cty.NullVal(lang.RefType)
	content, _, _ := b.Body.PartialContent(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "verifier"}}})
	if a := content.Attributes["verifier"]; a != nil {
		v, diags := in.scope.Eval(a.Expr, nil)
		if diags.HasErrors() {
			return cty.DynamicVal, diags
		}
		if _, ok := lang.AsRef(v); ok {
			verifier = v // anything else is reported when the domain is decoded
		}
	}
	return lang.DomainVal(addr.Block(in.at, "domain", b.Labels...), verifier), nil
}

// stateValue is a cycle as references see it: its figures in the state.
func stateValue(a addr.Address) cty.Value {
	m := map[string]cty.Value{}
	for side := range lang.StateSides {
		m[side] = lang.RefVal(lang.Ref{Addr: a, Kind: "state", Side: side})
	}
	return cty.ObjectVal(m)
}

// stageValue is a stage as references see it: an address, or one for each key of for_each.
func (in *instance) stageValue(b *hcl.Block) cty.Value {
	ref := lang.Ref{Addr: addr.Block(in.at, b.Type, b.Labels...), Kind: b.Type, Type: b.Labels[0]}
	rep := in.repetition(b)
	switch {
	case rep.failed:
		return cty.DynamicVal
	case !rep.has:
		return lang.RefVal(ref)
	}
	m := map[string]cty.Value{}
	base := ref.Addr
	for _, each := range rep.each {
		ref.Addr = base.Instance(each.Key.AsString())
		m[each.Key.AsString()] = lang.RefVal(ref)
	}
	return cty.ObjectVal(m)
}

// repetition is a block's for_each.
type repetition struct {
	has    bool
	failed bool
	each   []*lang.Each // sorted by key
}

// instances are the values of each for a block, one nil without for_each.
func (r *repetition) instances() []*lang.Each {
	if !r.has {
		return []*lang.Each{nil}
	}
	return r.each
}

// at is the address of one instance of base.
func instanceAt(base addr.Address, each *lang.Each) addr.Address {
	if each == nil {
		return base
	}
	return base.Instance(each.Key.AsString())
}

// repetition evaluates a block's for_each, once.
func (in *instance) repetition(b *hcl.Block) *repetition {
	if r := in.repeated[b]; r != nil {
		return r
	}
	r := &repetition{}
	content, _, _ := b.Body.PartialContent(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "for_each"}}})
	a := content.Attributes["for_each"]
	if a == nil {
		in.repeated[b] = r
		return r
	}
	r.has = true
	v, diags := in.scope.Eval(a.Expr, nil)
	in.l.add(diags...)
	in.repeated[b] = r
	if diags.HasErrors() || !v.IsKnown() {
		r.failed = true
		return r
	}
	if problem := r.expand(v); problem != "" {
		r.failed = true
		in.fail(a.Expr.Range(), "Invalid for_each", "%s", problem)
	}
	return r
}

// expand fills in the instances that v asks for, or says what is wrong with it.
func (r *repetition) expand(v cty.Value) string {
	ty := v.Type()
	switch {
	case v.ContainsMarked():
		return "The keys of for_each are part of addresses, so they cannot come from a sensitive value."
	case v.IsNull():
		return "for_each must not be null; an empty map makes no instances."
	case ty.IsTupleType() || ty.IsListType():
		return "for_each takes a map or a set of texts: the position in a list is no lasting name. Write toset([…])."
	case ty.IsSetType() && ty.ElementType() == cty.DynamicPseudoType && v.LengthInt() == 0:
		return ""
	case ty.IsSetType() && ty.ElementType() != cty.String:
		return "A set for for_each holds texts."
	case !ty.IsMapType() && !ty.IsObjectType() && !ty.IsSetType():
		return fmt.Sprintf("for_each takes a map or a set of texts, not %s.", ty.FriendlyNameForConstraint())
	}
	for it := v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		if !k.IsKnown() || k.IsNull() {
			return "A key of for_each is null."
		}
		r.each = append(r.each, &lang.Each{Key: k, Value: e})
	}
	return ""
}

// call is a module block.
type call struct {
	in       *instance
	block    *hcl.Block
	children []*instance // one for each key of for_each
}

func (in *instance) call(b *hcl.Block) *call { return &call{in: in, block: b} }

// value evaluates the called module and gives its outputs, by key where there is for_each.
func (c *call) value() (cty.Value, hcl.Diagnostics) {
	in, b := c.in, c.block
	content, rest, diags := b.Body.PartialContent(moduleForm.body())
	if diags.HasErrors() {
		return cty.DynamicVal, nearSource(diags, rest)
	}
	mod := c.open(content.Attributes["source"])
	rep := in.repetition(b)
	if mod == nil || rep.failed {
		return cty.DynamicVal, nil
	}
	attrs, diags := rest.JustAttributes()
	if diags.HasErrors() {
		return cty.DynamicVal, diags
	}
	base := addr.Module(in.at, b.Labels[0])
	all := map[string]cty.Value{}
	var one cty.Value
	for _, each := range rep.instances() {
		child := in.l.instance(mod, instanceAt(base, each), in)
		child.args = map[string]argument{}
		ok := true
		for _, a := range inOrder(attrs) {
			v, more := in.scope.Eval(a.Expr, each)
			diags = append(diags, more...)
			child.args[a.Name] = argument{v, a.Range}
			ok = ok && !more.HasErrors()
		}
		if !ok {
			return cty.DynamicVal, diags
		}
		child.evaluate()
		c.children = append(c.children, child)
		one = child.published()
		if each != nil {
			all[each.Key.AsString()] = one
		}
	}
	if rep.has {
		one = cty.ObjectVal(all)
	}
	return one, diags
}

// nearSource offers, where a module has no source, the argument whose name is near: all others are its variables.
func nearSource(diags hcl.Diagnostics, rest hcl.Body) hcl.Diagnostics {
	attrs, _ := rest.JustAttributes()
	for _, a := range inOrder(attrs) {
		if lang.DidYouMean(a.Name, []string{"source"}) != "" {
			return hcl.Diagnostics{problem(a.NameRange, "Missing required argument",
				fmt.Sprintf("A module needs its source, and has none. %q is taken for a variable of it. Did you mean \"source\"?", a.Name))}
		}
	}
	return diags
}

// published is the object of a module's outputs.
func (in *instance) published() cty.Value {
	m := map[string]cty.Value{}
	for _, b := range in.outputs {
		m[b.Labels[0]] = in.scope.Value("output." + b.Labels[0])
	}
	return cty.ObjectVal(m)
}

// open parses the module that a source names, or reports why it cannot.
func (c *call) open(a *hcl.Attribute) *module {
	in, rng := c.in, a.Expr.Range()
	if len(a.Expr.Variables()) > 0 {
		in.fail(rng, "Source is not constant", "The source of a module is needed before anything is evaluated, so it must be a plain text.")
		return nil
	}
	v, diags := a.Expr.Value(nil)
	in.l.add(diags...)
	if diags.HasErrors() {
		return nil
	}
	if v.Type() != cty.String || v.IsNull() || !v.IsKnown() {
		in.fail(rng, "Invalid source", "The source of a module is the path of its directory, as a text.")
		return nil
	}
	src := v.AsString()
	if src != "." && src != ".." && !strings.HasPrefix(src, "./") && !strings.HasPrefix(src, "../") {
		in.fail(rng, "Invalid source", "A module is a directory beside this one, so its source starts with ./ or ../: %q does not. Modules from elsewhere are copied into the tree.", src)
		return nil
	}
	abs := filepath.Join(in.mod.abs, filepath.FromSlash(src))
	depth := 0
	for p := in; p != nil; p = p.parent {
		if p.mod.abs == abs {
			in.fail(rng, "Module calls itself", "%s is the directory of a module that is calling this one, which would never end.", src)
			return nil
		}
		depth++
	}
	if depth > maxCalls {
		in.fail(rng, "Modules nested too deeply", "Modules may call each other %d deep.", maxCalls)
		return nil
	}
	if m := in.l.modules[abs]; m != nil {
		return m
	}
	dir := filepath.Join(in.mod.dir, filepath.FromSlash(src))
	_, names, err := FindModule(abs, slices.Sorted(maps.Keys(in.l.opts.Overlay))...)
	if err != nil || IsFile(filepath.Base(abs)) {
		in.fail(rng, "No module there", "%q leads to %s, which is not a directory with *.jupiter.hcl or *.jupiter.yaml files.", src, dir)
		return nil
	}
	return in.l.module(dir, abs, names)
}

// inOrder are attributes in the order of their lines.
func inOrder(attrs hcl.Attributes) []*hcl.Attribute {
	return sortedBy(attrs, func(a, b *hcl.Attribute) bool { return a.Range.Start.Byte < b.Range.Start.Byte })
}
