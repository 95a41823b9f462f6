package config

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"jupiter/plan/lang"
)

// Scope evaluates expressions where the root module's own stand, with the names that they see. What is wrong elsewhere
// in the configuration does no harm to an expression that does not depend on it.
type Scope struct{ root *instance }

// Open is Load with the scope of the root module; nil where there is no module.
func Open(path string, o Options) (*Config, *Scope, Files, hcl.Diagnostics) {
	l := newLoader(o)
	root := l.load(path)
	l.diags = tidy(l.diags)
	if root == nil {
		return l.cfg, nil, l.files, l.diags
	}
	return l.cfg, &Scope{root}, l.files, l.diags
}

// Requirements reads of a configuration what is needed before plugins are there: Dir, StateDir, Offline and Plugins of
// the Config are set. Nothing is evaluated, so of the Options only Overlay and Version matter.
func Requirements(path string, o Options) (*Config, Files, hcl.Diagnostics) {
	l := newLoader(o)
	l.begin(path)
	return l.cfg, l.files, tidy(l.diags)
}

func newLoader(o Options) *loader {
	if o.Env == nil {
		o.Env = func(string) (string, bool) { return "", false }
	}
	return &loader{opts: o, cfg: &Config{Unbuilt: o.Unbuilt}, files: Files{}, modules: map[string]*module{}, decoders: map[string]*bodyDecoder{}, stages: map[string]*Stage{}}
}

// Eval evaluates an expression of HCL. file and start are where its diagnostics say that it stands. A value with
// sensitive parts is marked there; see Secret.
func (s *Scope) Eval(src []byte, file string, start hcl.Pos) (cty.Value, hcl.Diagnostics) {
	whole := hcl.Range{Filename: file, Start: start, End: start}
	if err := lang.CheckNesting(src, false); err != nil {
		return cty.DynamicVal, hcl.Diagnostics{problem(whole, "Nested too deeply", capital(err.Error())+".")}
	}
	if at, found := lang.HugeNumber(src, false, file, start); found {
		return cty.DynamicVal, hcl.Diagnostics{hugeNumber(at)}
	}
	expr, diags := hclsyntax.ParseExpression(src, file, start)
	if diags.HasErrors() {
		return cty.DynamicVal, lang.FirstErrors(diags)
	}
	v, diags := s.root.scope.Eval(expr, nil)
	if !diags.HasErrors() && !v.IsWhollyKnown() {
		diags = append(diags, problem(expr.Range(), "Value not known", "It depends on a part of the configuration that has an error: jupiter validate lists what is wrong."))
	}
	return v, tidy(diags)
}

// Secret says whether v itself is sensitive. A value that is not may have parts that are.
func Secret(v cty.Value) bool { return v.HasMark(secret{}) }
