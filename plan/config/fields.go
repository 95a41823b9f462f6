package config

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"jupiter/plan/addr"
	"jupiter/plan/lang"
)

// fields decodes a block's attributes into typed values. Each method leaves its target alone where the attribute is
// absent or null, and reports what is wrong with it otherwise.
type fields struct {
	in    *instance
	form  *form // nil: a plugin's
	ctx   *hcl.EvalContext
	attrs hcl.Attributes
	refs  []hcl.Traversal
}

// fields makes the context for the attributes of a block of form g. each is nil without for_each.
func (in *instance) fields(content *hcl.BodyContent, g *form, each *lang.Each) *fields {
	f := &fields{in: in, form: g, attrs: content.Attributes}
	for _, a := range inOrder(content.Attributes) {
		if a.Name != "for_each" && a.Name != "ignore_changes" { // which holds names, not references
			f.refs = append(f.refs, a.Expr.Variables()...)
		}
	}
	ctx, diags := in.scope.Context(f.refs, each)
	in.l.add(diags...)
	f.ctx = ctx
	return f
}

// constants are fields that are evaluated before anything can be referred to.
func (in *instance) constants(content *hcl.BodyContent, g *form) *fields {
	return &fields{in: in, form: g, attrs: content.Attributes}
}

// rng is the range of an attribute's value, or of the block when it is absent.
func (f *fields) rng(name string) hcl.Range {
	if a := f.attrs[name]; a != nil {
		return a.Expr.Range()
	}
	return hcl.Range{}
}

// ranges are the places of all attributes.
func (f *fields) ranges() map[string]Attr {
	m := make(map[string]Attr, len(f.attrs))
	for name, a := range f.attrs {
		m[name] = Attr{Range: a.Range}
	}
	return m
}

func (f *fields) fail(name, summary, format string, args ...any) {
	f.in.fail(f.rng(name), summary, format, args...)
}

// raw evaluates an attribute. ok is false where it is absent, null, or wrong.
func (f *fields) raw(name string) (v cty.Value, ok bool) {
	a := f.attrs[name]
	if a == nil {
		return cty.NilVal, false
	}
	v, diags := a.Expr.Value(f.ctx)
	if f.ctx != nil {
		diags = f.in.scope.Explain(diags, f.refs, f.ctx)
	}
	f.in.l.add(diags...)
	if diags.HasErrors() || v.IsNull() || !v.IsWhollyKnown() {
		return v, false // an unknown value comes from an error that was reported where it was made
	}
	return v, true
}

// value evaluates an attribute as a type.
func (f *fields) value(name string, ty cty.Type) (cty.Value, bool) {
	v, ok := f.raw(name)
	if !ok {
		return v, false
	}
	if v.ContainsMarked() {
		f.fail(name, "Sensitive value", "%s is written into plans and the state, so it cannot come from a sensitive variable.", name)
		return v, false
	}
	if lang.HasRef(v.Type()) {
		f.fail(name, "Plain value expected", "%s takes %s, and this refers to %s, which is an address and has no value.",
			name, typeName(ty), describe(v))
		return v, false
	}
	if why := conversion(name, v, ty); why != "" {
		f.fail(name, "Wrong type", "%s takes %s: %s.", name, typeName(ty), why)
		return v, false
	}
	out, _ := convert.Convert(v, ty)
	if lang.HugeValue(out) {
		f.in.l.add(hugeNumber(f.rng(name)))
		return out, false
	}
	return out, !out.IsNull()
}

func typeName(ty cty.Type) string {
	many := func(of cty.Type) string {
		_, noun, _ := strings.Cut(typeName(of), " ")
		if of.IsListType() {
			return "lists" + strings.TrimPrefix(noun, "list")
		}
		return noun + "s"
	}
	switch {
	case ty == cty.String:
		return "a text"
	case ty == cty.Number:
		return "a number"
	case ty == cty.Bool:
		return "true or false"
	case ty.IsListType() && ty.ElementType() != cty.Bool:
		return "a list of " + many(ty.ElementType())
	case ty.IsMapType() && ty.ElementType() != cty.Bool:
		return "a map of " + many(ty.ElementType())
	case ty.IsObjectType():
		return "an object"
	}
	return ty.FriendlyNameForConstraint()
}

// describe names the first reference in v.
func describe(v cty.Value) string {
	what := "something with an address"
	_ = cty.Walk(v, func(_ cty.Path, e cty.Value) (bool, error) {
		if r, ok := lang.AsRef(e); ok && what == "something with an address" {
			what = r.What()
		}
		return true, nil
	})
	return what
}

// names reads a list of names, bare or as texts: [learning_rate, "seed"].
func (f *fields) names(attr string) (names []string) {
	f.form.attr(attr, namesValue)
	a := f.attrs[attr]
	if a == nil {
		return nil
	}
	list, diags := hcl.ExprList(a.Expr)
	if diags.HasErrors() {
		f.fail(attr, "Wrong type", "%s takes a list of names.", attr)
		return nil
	}
	for _, e := range list {
		if word := hcl.ExprAsKeyword(e); word != "" {
			names = append(names, word)
			continue
		}
		v, diags := e.Value(nil)
		if diags.HasErrors() || v.Type() != cty.String || v.IsNull() || !v.IsKnown() {
			f.in.fail(e.Range(), "Wrong type", "%s takes a list of names, and this is none.", attr)
			continue
		}
		names = append(names, v.AsString())
	}
	return names
}

func (f *fields) str(name string, into *string) {
	f.form.attr(name, textValue)
	f.text(name, into)
}

func (f *fields) text(name string, into *string) {
	if v, ok := f.value(name, cty.String); ok {
		*into = v.AsString()
	}
}

func (f *fields) flag(name string, into *bool) {
	f.form.attr(name, flagValue)
	if v, ok := f.value(name, cty.Bool); ok {
		*into = v.True()
	}
}

func (f *fields) num(name string, into *float64) {
	v, ok := f.value(name, cty.Number)
	if !ok {
		return
	}
	x, _ := v.AsBigFloat().Float64()
	if math.IsInf(x, 0) {
		f.fail(name, "Number out of range", "%s is too large.", name)
		return
	}
	*into = x
}

// within is num within the bounds of its table.
func (f *fields) within(name string, into *float64) {
	a := f.form.attr(name, numberValue)
	x := *into
	f.num(name, &x)
	if f.attrs[name] != nil && (x < a.lo || x > a.hi) {
		f.fail(name, "Number out of range", "%s must be between %g and %g, and is %g.", name, a.lo, a.hi, x)
		return
	}
	*into = x
}

// positive is num above zero.
func (f *fields) positive(name string, into *float64) {
	f.form.attr(name, numberValue)
	x := math.NaN()
	f.num(name, &x)
	switch {
	case math.IsNaN(x): // absent, or reported
	case x <= 0:
		f.fail(name, "Number out of range", "%s must be above 0, and is %g.", name, x)
	default:
		*into = x
	}
}

// count is a whole number of at least the bound of its table.
func (f *fields) count(name string, into *uint64) {
	lo := uint64(f.form.attr(name, countValue).lo)
	v, ok := f.value(name, cty.Number)
	if !ok {
		return
	}
	n, _ := v.AsBigFloat().Uint64()
	if !v.AsBigFloat().IsInt() || v.AsBigFloat().Sign() < 0 || n < lo || n > math.MaxInt64 {
		f.fail(name, "Not a count", "%s must be a whole number of at least %d, and is %s.", name, lo, v.AsBigFloat().Text('g', 12))
		return
	}
	*into = n
}

func (f *fields) strs(name string, into *[]string) {
	f.form.attr(name, textsValue)
	if v, ok := f.value(name, cty.List(cty.String)); ok {
		if list, ok := f.texts(name, v); ok {
			*into = list
		}
	}
}

func (f *fields) texts(name string, v cty.Value) ([]string, bool) {
	var list []string
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		if e.IsNull() {
			f.fail(name, "Null in a list", "An element of %s is null.", name)
			return nil, false
		}
		list = append(list, e.AsString())
	}
	return list, true
}

// choice is one of the words of its table.
func (f *fields) choice(name string, into *string) {
	words := f.form.attr(name, choiceValue).words
	s := *into
	f.text(name, &s)
	if f.attrs[name] != nil && !contains(words, s) && s != *into {
		f.fail(name, "Unknown word", "%s is one of %s, and not %q.%s", name, quoted(words), s, lang.DidYouMean(s, words))
		return
	}
	*into = s
}

func quoted(words []string) string {
	q := make([]string, len(words))
	for i, w := range words {
		q[i] = fmt.Sprintf("%q", w)
	}
	return strings.Join(q, ", ")
}

// shares is a map of numbers.
func (f *fields) shares(name string) map[string]float64 {
	f.form.attr(name, sharesValue)
	v, ok := f.value(name, cty.Map(cty.Number))
	if !ok {
		return nil
	}
	m := map[string]float64{}
	for it := v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		if e.IsNull() {
			f.fail(name, "Null share", "The share of %q in %s is null.", k.AsString(), name)
			return nil
		}
		x, _ := e.AsBigFloat().Float64()
		if x < 0 || x > 1 {
			f.fail(name, "Share out of range", "The share of %q in %s is %g; a share lies between 0 and 1.", k.AsString(), name, x)
			return nil
		}
		m[k.AsString()] = x
	}
	return m
}

// parts is an object of numbers under the words of its table, each of which may be left out.
func (f *fields) parts(name string) (cty.Value, bool) {
	words := f.form.attr(name, partsValue).words
	types := map[string]cty.Type{}
	for _, w := range words {
		types[w] = cty.Number
	}
	return f.value(name, cty.ObjectWithOptionalAttrs(types, words))
}

// lists is a map of lists of texts.
func (f *fields) lists(name string, into map[string][]string) {
	f.form.attr(name, listsValue)
	v, ok := f.value(name, cty.Map(cty.List(cty.String)))
	if !ok {
		return
	}
	for it := v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		if e.IsNull() {
			f.fail(name, "Null in a map", "%s gives null for %q.", name, k.AsString())
			return
		}
		if list, ok := f.texts(name, e); ok {
			into[k.AsString()] = list
		}
	}
}

// duration is a length of time, as Go writes it: "2m", "1h30m".
func (f *fields) duration(name string, into *time.Duration) {
	f.form.attr(name, spanValue)
	var s string
	if f.text(name, &s); s == "" {
		return
	}
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		f.fail(name, "Not a length of time", "%s is a length of time such as \"90s\", \"2m\" or \"1h30m\", and not %q.", name, s)
		return
	}
	*into = d
}

// ref is a reference to something of one of the kinds of its table.
func (f *fields) ref(name string) (lang.Ref, bool) {
	return f.refTo(name, f.form.attr(name, refValue).refs)
}

func (f *fields) refTo(name string, kinds []string) (lang.Ref, bool) {
	v, ok := f.raw(name)
	if !ok {
		return lang.Ref{}, false
	}
	return f.asRef(name, v, kinds)
}

func (f *fields) asRef(name string, v cty.Value, kinds []string) (lang.Ref, bool) {
	v, _ = v.UnmarkDeep() // an address is no secret
	want := strings.Join(kinds, " or a ")
	if r, ok := lang.AsRef(v); ok {
		if contains(kinds, r.Kind) {
			return r, true
		}
		f.fail(name, "Reference to the wrong kind", "%s refers to a %s, and this is %s.", name, want, r.What())
		return lang.Ref{}, false
	}
	if _, ok := lang.AsDomain(v); ok {
		f.fail(name, "Reference to the wrong kind", "%s refers to a %s, and this is a domain; one side of its data is DOMAIN.real, .synthetic or .mix.", name, want)
		return lang.Ref{}, false
	}
	if keys := instancesIn(v); keys != nil {
		f.fail(name, "All instances named", "The block that %s refers to has for_each; choose one instance: [%q].", name, keys[0])
		return lang.Ref{}, false
	}
	form := kinds[0] + ".TYPE.NAME"
	switch kinds[0] {
	case "data":
		form = "domain.NAME.real"
	case "cluster":
		form = "cluster.NAME"
	}
	f.fail(name, "Reference expected", "%s refers to a block and is written %s, in YAML ${%s}. It is no %s.", name, form, form, v.Type().FriendlyName())
	return lang.Ref{}, false
}

// instancesIn are the keys of v where it holds the instances of a block with for_each.
func instancesIn(v cty.Value) []string {
	if !v.Type().IsObjectType() || v.LengthInt() == 0 {
		return nil
	}
	m := v.AsValueMap()
	for _, e := range m {
		if e.Type() != lang.RefType {
			return nil
		}
	}
	return slices.Sorted(maps.Keys(m))
}

// refList is a list of references.
func (f *fields) refList(name string) []lang.Ref {
	kinds := f.form.attr(name, refsValue).refs
	v, ok := f.raw(name)
	if !ok {
		return nil
	}
	v, _ = v.UnmarkDeep()
	if !v.CanIterateElements() || v.Type().IsObjectType() || v.Type().IsMapType() {
		f.fail(name, "List expected", "%s is a list of references: [%s.TYPE.NAME, …].", name, kinds[0])
		return nil
	}
	var out []lang.Ref
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		if r, ok := f.asRef(name, e, kinds); ok {
			out = append(out, r)
		}
	}
	return out
}

// domain is a domain as a value.
func (f *fields) domain(name string) (addr.Address, bool) {
	f.form.attr(name, domainValue)
	v, ok := f.raw(name)
	if !ok {
		return "", false
	}
	v, _ = v.UnmarkDeep()
	if a, ok := lang.AsDomain(v); ok {
		return a, true
	}
	hint := ""
	if r, ok := lang.AsRef(v); ok && r.Kind == "data" {
		hint = fmt.Sprintf(" This is one side of its data: leave out .%s.", r.Side)
	} else if v.Type().IsObjectType() && v.Type().HasAttribute("domain") {
		hint = " This is a module; its output has the domain: add .domain."
	}
	f.fail(name, "Domain expected", "%s takes a domain: domain.NAME, or the output of a module.%s", name, hint)
	return "", false
}
