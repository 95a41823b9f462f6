package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/zclconf/go-cty/cty"

	"jupiter/plan/addr"
	"jupiter/plan/lang"
	"jupiter/plugins/schema"
)

// bodyDecoder decodes the plugin's part of a block. There is one for each stage schema.
type bodyDecoder struct {
	schema *schema.Stage
	spec   hcldec.Spec // of the attributes and blocks that take values
	refs   *hcl.BodySchema
	byName map[string]schema.Attribute
	plain  *hcl.BodySchema // what spec reads, for ranges
}

// decoder finds the schema that a block's first label names. It reports an unknown type at rng.
func (in *instance) decoder(kind, typ string, rng hcl.Range) *bodyDecoder {
	key := kind + " " + typ
	if d, ok := in.l.decoders[key]; ok && d != nil {
		return d
	}
	s, err := in.l.opts.Schemas.Stage(kind, typ)
	if err != nil && in.l.unresolved {
		return nil
	} else if err != nil {
		in.fail(rng, "Unknown type", "%s.", capital(err.Error()))
		return nil
	}
	d := &bodyDecoder{schema: s, refs: &hcl.BodySchema{}, byName: map[string]schema.Attribute{}}
	values := *s
	values.Attributes = nil
	for _, a := range s.Attributes {
		d.byName[a.Name] = a
		if len(a.Accepts) > 0 {
			d.refs.Attributes = append(d.refs.Attributes, hcl.AttributeSchema{Name: a.Name, Required: a.Required})
		} else {
			values.Attributes = append(values.Attributes, a)
		}
	}
	d.spec = values.Spec()
	d.plain = hcldec.ImpliedSchema(d.spec)
	in.l.decoders[key] = d
	return d
}

// decode reads what the core left of a block.
func (d *bodyDecoder) decode(in *instance, rest hcl.Body, each *lang.Each) Body {
	out := Body{Schema: d.schema, Refs: map[string]addr.Address{}, Attrs: map[string]Attr{}, Source: rest}
	content, rest, diags := rest.PartialContent(d.refs)
	in.l.add(diags...)
	f := in.fields(content, nil, each)
	for name, a := range f.ranges() {
		out.Attrs[name] = a
	}
	nulls := map[string]cty.Value{}
	for _, a := range d.refs.Attributes {
		nulls[a.Name] = cty.NullVal(d.byName[a.Name].Type.WithoutOptionalAttributesDeep())
		if r, ok := f.refTo(a.Name, append([]string{"data"}, lang.StageKinds...)); ok {
			out.Refs[a.Name] = addr.Address(r.Path())
			in.l.link(func() { d.accepts(in, a.Name, r, f.rng(a.Name)) })
		}
	}

	plain, _, _ := rest.PartialContent(d.plain)
	for name, a := range plain.Attributes {
		out.Attrs[name] = Attr{Range: a.Range}
	}
	for _, b := range plain.Blocks {
		if _, ok := out.Attrs[b.Type]; !ok {
			out.Attrs[b.Type] = Attr{Range: b.DefRange}
		}
	}
	refs := hcldec.Variables(rest, d.spec)
	ctx, diags := in.scope.Context(refs, each)
	in.l.add(diags...)
	v, diags := hcldec.Decode(rest, d.spec, ctx)
	diags = slices.DeleteFunc(diags, func(d *hcl.Diagnostic) bool { // said already: it is not there at all
		m := nullArgument.FindStringSubmatch(d.Detail)
		return m != nil && plain.Attributes[m[1]] == nil
	})
	if diags.HasErrors() {
		diags = suggestOwn(d.explain(diags, plain, ctx), d.form().own())
	}
	in.l.add(in.scope.Explain(diags, refs, ctx)...)
	whole := !diags.HasErrors()
	for _, a := range inOrder(plain.Attributes) {
		whole = in.noSurplus(a, d.byName[a.Name].Type, ctx) && whole
	}
	if !whole {
		return out
	}
	out.Value = d.finish(in, v, nulls, plain)
	return out
}

// finish checks a decoded value and adds the attributes that hold references.
func (d *bodyDecoder) finish(in *instance, v cty.Value, nulls map[string]cty.Value, plain *hcl.BodyContent) cty.Value {
	v, marked := v.UnmarkDeepWithPaths()
	for _, m := range marked {
		name := m.Path[0].(cty.GetAttrStep).Name
		if a, ok := d.byName[name]; ok && !a.Sensitive && plain.Attributes[name] != nil {
			in.fail(plain.Attributes[name].Expr.Range(), "Sensitive value",
				"%s %q writes %s into plans and the state, so it cannot come from a sensitive variable.", d.schema.Kind, d.schema.Type, name)
			return cty.NilVal
		} else if !ok {
			in.fail(plain.MissingItemRange, "Sensitive value", "The block %s is written into plans and the state, so nothing in it can come from a sensitive variable.", name)
			return cty.NilVal
		}
	}
	if !v.IsWhollyKnown() {
		return cty.NilVal // from an error that was reported where it was made
	}
	m := v.AsValueMap()
	if m == nil {
		m = map[string]cty.Value{}
	}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if lang.HasRef(m[name].Type()) {
			rng := plain.MissingItemRange
			if a := plain.Attributes[name]; a != nil {
				rng = a.Expr.Range()
			}
			in.fail(rng, "Plain value expected", "%s takes a value, and this refers to %s, which is an address.", name, describe(m[name]))
			return cty.NilVal
		}
		if lang.HugeValue(m[name]) {
			rng := plain.MissingItemRange
			if a := plain.Attributes[name]; a != nil {
				rng = a.Expr.Range()
			}
			in.l.add(hugeNumber(rng))
			return cty.NilVal
		}
	}
	for name, null := range nulls {
		m[name] = null
	}
	return cty.ObjectVal(m)
}

// form is that of the blocks whose rest is decoded.
func (d *bodyDecoder) form() *form {
	if d.schema.Kind == sourceForm.plugin {
		return sourceForm
	}
	return stageForm(d.schema.Kind)
}

var nullArgument = regexp.MustCompile(`^The argument "([^"]+)" is required, and its value is null`)

var unexpected = regexp.MustCompile(`(?:named|of type) "([^"]+)"`)

// suggestOwn offers the core's own attributes and blocks for a misspelt one, which the plugin's schema does not have.
func suggestOwn(diags hcl.Diagnostics, own []string) hcl.Diagnostics {
	for i, d := range diags {
		m := unexpected.FindStringSubmatch(d.Detail)
		if d.Summary != "Unsupported argument" && d.Summary != "Unsupported block type" || m == nil || strings.Contains(d.Detail, "Did you mean") {
			continue
		}
		c := *d
		c.Detail += lang.DidYouMean(m[1], own)
		diags[i] = &c
	}
	return diags
}

// explain says what is wrong where a reference was given to an attribute that takes a value, and which part of a value is of
// the wrong type.
func (d *bodyDecoder) explain(diags hcl.Diagnostics, plain *hcl.BodyContent, ctx *hcl.EvalContext) hcl.Diagnostics {
	for i, diag := range diags {
		for _, a := range inOrder(plain.Attributes) {
			if diag.Subject == nil || !diag.Subject.Overlaps(a.Expr.Range()) {
				continue
			}
			v, more := a.Expr.Value(ctx)
			if more.HasErrors() {
				continue
			}
			if !lang.HasRef(v.Type()) {
				if why := conversion(a.Name, v, d.byName[a.Name].Type); why != "" && diag.Summary == "Incorrect attribute value type" {
					c := *diag
					c.Detail = fmt.Sprintf("Inappropriate value for attribute %q: %s.", a.Name, why)
					diags[i] = &c
				}
				continue
			}
			diags[i] = &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Plain value expected", Subject: a.Expr.Range().Ptr(),
				Detail: fmt.Sprintf("%s takes %s, and this refers to %s, which is an address.", a.Name, typeName(d.byName[a.Name].Type), describe(v))}
		}
	}
	return diags
}

// accepts checks that what a reference leads to has one of the media types that the attribute takes.
func (d *bodyDecoder) accepts(in *instance, name string, r lang.Ref, rng hcl.Range) {
	var have []string
	if r.Kind == "data" {
		have = []string{RecordsMediaType}
	} else if s := in.l.stages[string(r.Addr)]; s != nil && s.Body.Schema != nil {
		have = s.Body.Schema.Produces
		if s.Kind == "filter" || s.Kind == "verifier" { // what they let through
			have = []string{RecordsMediaType}
		}
	} else {
		return
	}
	want := d.byName[name].Accepts
	if !overlap(have, want) {
		in.fail(rng, "Reference to the wrong kind", "%s takes %s, and %s gives %s.", name, quoted(want), r.What(), orNothing(have))
	}
}

// RecordsMediaType is what a domain's data are, whichever side.
const RecordsMediaType = "application/vnd.jupiter.records+jsonl+zstd"

func overlap(a, b []string) bool {
	for _, s := range a {
		if contains(b, s) {
			return true
		}
	}
	return false
}

func orNothing(list []string) string {
	if len(list) == 0 {
		return "nothing"
	}
	return quoted(list)
}

// link runs f when all blocks are decoded.
func (l *loader) link(f func()) { l.links = append(l.links, f) }
