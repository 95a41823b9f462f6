package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"jupiter/plan/config"
)

// readStageConfigs reads a file of configurations by stage, for a suite that has no plan. It is JSON where its name says so,
// {"filter.x": {…}}, and blocks elsewhere, as a plan has them: filter "x" { … }. Expressions are literal: there is nothing
// that they could refer to.
func readStageConfigs(path string) (stageConfigs, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	out := stageConfigs{}
	if strings.HasSuffix(path, ".json") {
		var all stageConfigs
		if err := json.Unmarshal(src, &all); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		for name, raw := range all {
			out[strings.Replace(name, ".", " ", 1)] = raw
		}
		return out, nil
	}
	f, diags := hclparse.NewParser().ParseHCL(src, path)
	files := config.Files{path: f}
	if diags.HasErrors() {
		return nil, &configurationError{diags, files}
	}
	for _, b := range f.Body.(*hclsyntax.Body).Blocks { // of an HCL file it is always one
		if len(b.Labels) != 1 {
			diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "No stage", Detail: `A block is called after its stage, as in filter "x".`, Subject: b.DefRange().Ptr()})
			continue
		}
		body, more := literals(b.Body)
		if diags = append(diags, more...); !more.HasErrors() {
			raw, err := json.Marshal(body)
			if err != nil {
				return nil, err
			}
			out[b.Type+" "+b.Labels[0]] = raw
		}
	}
	if diags.HasErrors() {
		return nil, &configurationError{diags, files}
	}
	return out, nil
}

// literals gives the attributes and blocks of a body. Blocks without a label make a list of objects, or one object where there
// is one; blocks with a label make an object by label.
func literals(body *hclsyntax.Body) (map[string]any, hcl.Diagnostics) {
	out := map[string]any{}
	var diags hcl.Diagnostics
	for _, name := range slices.Sorted(maps.Keys(body.Attributes)) {
		a := body.Attributes[name]
		v, more := a.Expr.Value(nil)
		if diags = append(diags, more...); more.HasErrors() {
			continue
		}
		raw, err := ctyjson.Marshal(v, v.Type())
		if err != nil {
			diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "No literal value", Detail: err.Error(), Subject: a.Range().Ptr()})
		}
		out[name] = json.RawMessage(raw)
	}
	for _, b := range body.Blocks {
		inner, more := literals(b.Body)
		diags = append(diags, more...)
		switch was := out[b.Type].(type) {
		case nil:
			out[b.Type] = inner
			if len(b.Labels) > 0 {
				out[b.Type] = map[string]any{b.Labels[0]: inner}
			}
		case map[string]any:
			if len(b.Labels) > 0 {
				was[b.Labels[0]] = inner
			} else {
				out[b.Type] = []any{was, inner}
			}
		case []any:
			out[b.Type] = append(was, inner)
		}
	}
	return out, diags
}
