package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"jupiter/plan/config"
	"jupiter/plan/lang"
)

// userConfig is the user's own configuration, for all projects on the machine:
//
//	dev_overrides {
//	  wordfilter = "/home/me/wordfilter/wordfilter"
//	}
type userConfig struct {
	overrides map[string]string // plugin → the executable that is used in place of the locked one
	path      string
	file      *hcl.File // nil: there is none
}

// userConfigPath is where the user's configuration lies; "": nowhere.
func userConfigPath(w *world) string {
	if path, ok := w.getenv("JUPITER_CONFIG"); ok {
		return path
	}
	base, ok := w.getenv("XDG_CONFIG_HOME")
	if !ok || !filepath.IsAbs(base) {
		home, ok := w.getenv("HOME")
		if !ok || !filepath.IsAbs(home) {
			return ""
		}
		base = filepath.Join(home, ".config")
	}
	return filepath.Join(base, "jupiter", "config.hcl")
}

// readUserConfig reads the user's configuration. One that JUPITER_CONFIG names must be there.
func readUserConfig(w *world) (*userConfig, hcl.Diagnostics) {
	u := &userConfig{overrides: map[string]string{}, path: userConfigPath(w)}
	if u.path == "" {
		return u, nil
	}
	start := hcl.Range{Filename: u.path, Start: hcl.InitialPos, End: hcl.InitialPos}
	src, err := config.ReadFile(u.path)
	if _, named := w.getenv("JUPITER_CONFIG"); errors.Is(err, fs.ErrNotExist) && !named {
		return u, nil
	} else if err == nil {
		u.file = &hcl.File{Bytes: src}
		err = lang.CheckNesting(src, false)
	}
	if err != nil {
		return u, hcl.Diagnostics{problem(start, "User configuration cannot be read", fmt.Sprintf("The configuration file of the user cannot be read: %s.", err))}
	}
	if at, huge := lang.HugeNumber(src, false, u.path, hcl.InitialPos); huge {
		return u, hcl.Diagnostics{problem(at, "User configuration cannot be read", "No number belongs here.")}
	}
	parsed, diags := hclsyntax.ParseConfig(src, u.path, hcl.InitialPos)
	if diags.HasErrors() {
		return u, diags
	}
	u.file = parsed
	content, diags := parsed.Body.Content(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "dev_overrides"}}})
	for _, b := range content.Blocks {
		diags = append(diags, u.addOverrides(b)...)
	}
	return u, diags
}

func (u *userConfig) addOverrides(b *hcl.Block) hcl.Diagnostics {
	attrs, diags := b.Body.JustAttributes()
	for _, name := range slices.Sorted(maps.Keys(attrs)) {
		a := attrs[name]
		v, more := a.Expr.Value(nil)
		diags = append(diags, more...)
		if more.HasErrors() {
			continue
		}
		if v.Type() != cty.String || v.IsNull() || !filepath.IsAbs(v.AsString()) {
			diags = append(diags, problem(a.Expr.Range(), "Invalid override", fmt.Sprintf("dev_overrides has the absolute path of an executable for each plugin: %s = \"/home/me/%s/%s\".", name, name, name)))
			continue
		}
		u.overrides[name] = v.AsString()
	}
	return diags
}

func problem(rng hcl.Range, summary, detail string) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: &rng}
}
