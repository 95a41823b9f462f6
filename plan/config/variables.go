package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"

	"jupiter/plan/lang"
)

// secret marks what a sensitive variable or output holds. Marks spread with evaluation, so a value made from a secret
// one is secret too.
type secret struct{}

// variable is a declared input of a module.
type variable struct {
	in        *instance
	name      string
	rng       hcl.Range
	typ       cty.Type
	defaults  *typeexpr.Defaults
	def       *hcl.Attribute // default
	sensitive bool
	nullable  bool
	rules     hcl.Blocks
	broken    bool // its declaration is wrong
}

// variable reads a declaration.
func (in *instance) variable(b *hcl.Block) *variable {
	v := &variable{in: in, name: b.Labels[0], rng: b.DefRange, typ: cty.DynamicPseudoType, nullable: true}
	content, diags := b.Body.Content(variableForm.body())
	if a := content.Attributes["type"]; a != nil {
		var more hcl.Diagnostics
		v.typ, v.defaults, more = typeexpr.TypeConstraintWithDefaults(a.Expr)
		diags = append(diags, nearType(more)...)
		if more.HasErrors() {
			v.typ = cty.DynamicPseudoType
		}
	}
	in.l.add(diags...)
	v.broken = diags.HasErrors()
	v.def, v.rules = content.Attributes["default"], content.Blocks
	f := in.constants(content, variableForm)
	var description string
	f.str("description", &description)
	f.flag("sensitive", &v.sensitive)
	f.flag("nullable", &v.nullable)
	return v
}

var typeWord = regexp.MustCompile(`[Kk]eyword "([^"]+)"`)

// nearType offers the word of a type for a misspelt one.
func nearType(diags hcl.Diagnostics) hcl.Diagnostics {
	for _, d := range diags {
		if m := typeWord.FindStringSubmatch(d.Detail); m != nil {
			d.Detail += lang.DidYouMean(m[1], []string{"any", "bool", "list", "map", "number", "object", "optional", "set", "string", "tuple"})
		}
	}
	return diags
}

// value is what the variable holds: the argument, or the default.
func (v *variable) value() (cty.Value, hcl.Diagnostics) {
	if v.broken {
		return cty.DynamicVal, nil
	}
	arg, given := v.in.args[v.name]
	val, rng := arg.val, arg.rng
	if given && (!val.IsNull() || v.nullable) {
		return v.convert(val, rng)
	}
	if v.def == nil {
		return cty.DynamicVal, hcl.Diagnostics{v.missing(given, rng)}
	}
	val, diags := v.defaultValue()
	if diags.HasErrors() {
		return cty.DynamicVal, diags
	}
	if val.IsNull() && !v.nullable {
		return cty.DynamicVal, hcl.Diagnostics{v.missing(true, v.def.Expr.Range())}
	}
	return v.convert(val, v.def.Expr.Range())
}

// missing says that no value was given, or null where that is none.
func (v *variable) missing(null bool, rng hcl.Range) *hcl.Diagnostic {
	d := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "No value for a variable", Subject: &v.rng}
	switch {
	case null && rng != (hcl.Range{}):
		d.Subject = &rng
		d.Detail = fmt.Sprintf("The variable %q must not be null.", v.name)
	case v.in.parent == nil:
		d.Detail = fmt.Sprintf("The variable %q has no default. Give it a value: --var %s=…, or a file of values with --var-file.", v.name, v.name)
	default:
		d.Detail = fmt.Sprintf("The variable %q of module %s has no default: the module block must give it.", v.name, v.in.at)
		for _, c := range v.in.parent.calls {
			if addrOfCall(c) == string(v.in.at) || strings.HasPrefix(string(v.in.at), addrOfCall(c)+"[") {
				d.Subject = c.block.DefRange.Ptr()
			}
		}
	}
	return d
}

func addrOfCall(c *call) string {
	if c.in.at == "" {
		return "module." + c.block.Labels[0]
	}
	return string(c.in.at) + ".module." + c.block.Labels[0]
}

// defaultValue evaluates the default, which may call env() and refers to nothing.
func (v *variable) defaultValue() (cty.Value, hcl.Diagnostics) {
	expr := v.def.Expr
	if refs := expr.Variables(); len(refs) > 0 {
		return cty.DynamicVal, hcl.Diagnostics{{
			Severity: hcl.DiagError, Summary: "Default is not constant",
			Detail:  "The default of a variable refers to nothing: it is evaluated before everything else. A value that depends on others belongs into locals.",
			Subject: refs[0].SourceRange().Ptr(),
		}}
	}
	ctx, _ := v.in.scope.Context(nil, nil)
	ctx = ctx.NewChild()
	ctx.Functions = map[string]function.Function{"env": lang.EnvFunc(v.in.l.opts.Env)}
	return expr.Value(ctx)
}

// convert makes val of the variable's type.
func (v *variable) convert(val cty.Value, rng hcl.Range) (cty.Value, hcl.Diagnostics) {
	if v.defaults != nil && !val.IsNull() {
		val = v.defaults.Apply(val)
	}
	out, err := convert.Convert(val, v.typ)
	if v.sensitive {
		rng = v.rng // the line of the value would show it
	}
	if err != nil {
		return cty.DynamicVal, hcl.Diagnostics{{
			Severity: hcl.DiagError, Summary: "Wrong type",
			Detail:  fmt.Sprintf("The variable %q is declared as %s: %s.", v.name, typeexpr.TypeString(v.typ), err),
			Subject: &rng,
		}}
	}
	if lang.HugeValue(out) {
		return cty.DynamicVal, hcl.Diagnostics{hugeNumber(rng)}
	}
	if v.sensitive {
		out = out.Mark(secret{})
	}
	return out, nil
}

// validate checks the validation blocks against the value.
func (v *variable) validate() {
	for _, b := range v.rules {
		content, diags := b.Body.Content(validationForm.body())
		v.in.l.add(diags...)
		if diags.HasErrors() || v.broken || !v.in.scope.Value("var."+v.name).IsKnown() {
			continue
		}
		cond := content.Attributes["condition"]
		ok, diags := v.in.scope.Eval(cond.Expr, nil)
		v.in.l.add(diags...)
		var text string
		v.in.fields(&hcl.BodyContent{Attributes: hcl.Attributes{"error_message": content.Attributes["error_message"]}}, validationForm, nil).str("error_message", &text)
		if diags.HasErrors() || text == "" {
			continue
		}
		ok, _ = ok.UnmarkDeep()
		ok, err := convert.Convert(ok, cty.Bool)
		if err != nil || ok.IsNull() {
			v.in.fail(cond.Expr.Range(), "Invalid condition", "A condition is true or false.")
			continue
		}
		if !ok.IsKnown() || ok.True() {
			continue
		}
		v.in.l.add(&hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Invalid value for a variable", Subject: v.source().Ptr(),
			Detail: fmt.Sprintf("%s\n\nThis was checked by the rule at %s.", text, cond.Range)})
	}
}

// source is where the value came from.
func (v *variable) source() hcl.Range {
	if v.sensitive {
		return v.rng
	}
	if arg, ok := v.in.args[v.name]; ok && arg.rng.Filename != "" {
		return arg.rng
	}
	if v.def != nil {
		return v.def.Expr.Range()
	}
	return v.rng
}

// unknownArgs reports arguments that the module has no variable for.
func (in *instance) unknownArgs() {
	var names []string
	for _, v := range in.vars {
		names = append(names, v.name)
	}
	for _, name := range slices.Sorted(maps.Keys(in.args)) {
		if contains(names, name) {
			continue
		}
		what := "This module"
		if in.parent != nil {
			what = fmt.Sprintf("The module in %s", in.mod.dir)
		}
		in.fail(in.args[name].rng, "Unknown variable", "%s has no variable %q.%s", what, name, lang.DidYouMean(name, names))
	}
}

func sortedBy[V any](m map[string]V, less func(a, b V) bool) []V {
	out := make([]V, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, m[k])
	}
	sort.SliceStable(out, func(i, j int) bool { return less(out[i], out[j]) })
	return out
}

func contains(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}
