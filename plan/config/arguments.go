package config

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

	"jupiter/plan/lang"
	"jupiter/plan/lang/yamlbody"
)

// rootArgs are the values that the command line and files give to the root module's variables.
func (l *loader) rootArgs(root *instance) map[string]argument {
	decls := map[string]*variable{}
	for _, b := range root.mod.blocks["variable"] {
		quiet := &instance{l: &loader{}, scope: root.scope} // what is wrong with it is reported when it is declared
		decls[b.Labels[0]] = quiet.variable(b)
	}
	args := map[string]argument{}
	for _, path := range l.opts.VarFiles {
		for name, a := range l.varFile(path, decls) {
			args[name] = a
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.opts.Vars)) {
		if v, ok := l.commandLine(name, l.opts.Vars[name], decls[name]); ok {
			args[name] = v
		}
	}
	return args
}

// commandLine reads the value of a --var. decl is nil where there is no such variable.
func (l *loader) commandLine(name, text string, decl *variable) (argument, bool) {
	file, src := "--var "+name, []byte(text)
	if decl != nil && decl.sensitive {
		src = []byte("(sensitive)")
	}
	l.files[file] = &hcl.File{Bytes: src}
	rng := hcl.Range{Filename: file, Start: hcl.InitialPos, End: hcl.Pos{Line: 1, Column: len(src) + 1, Byte: len(src)}}
	if decl == nil || decl.typ == cty.String { // what nobody declared is reported as such, whatever it says
		return argument{cty.StringVal(text), rng}, true
	}
	if err := lang.CheckNesting([]byte(text), false); err != nil {
		l.add(fileError(file, err))
		return argument{}, false
	}
	if _, found := lang.HugeNumber([]byte(text), false, file, hcl.InitialPos); found {
		l.add(hugeNumber(rng))
		return argument{}, false
	}
	var val cty.Value
	expr, diags := hclsyntax.ParseExpression([]byte(text), file, hcl.InitialPos)
	if !diags.HasErrors() {
		val, diags = expr.Value(nil)
	}
	if diags.HasErrors() && decl != nil && decl.sensitive {
		diags = hcl.Diagnostics{problem(rng, "Invalid value", "The value is no valid expression; it is sensitive and not shown.")}
	}
	l.add(lang.FirstErrors(diags)...)
	return argument{val, rng}, !diags.HasErrors()
}

// varFile reads a file of values. decls are the variables that there are.
func (l *loader) varFile(path string, decls map[string]*variable) map[string]argument {
	src, err := ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("there is no file %s; --var-file is relative to the current directory", path)
	}
	if err != nil {
		l.add(fileError(path, err))
		return nil
	}
	f, diags := parseValues(src, path)
	l.files[path] = f
	var attrs hcl.Attributes
	if !diags.HasErrors() {
		attrs, diags = f.Body.JustAttributes()
	}
	l.add(diags...)
	if diags.HasErrors() {
		for _, v := range decls {
			if v.sensitive { // which of its lines would show the value cannot be told
				l.files[path] = &hcl.File{}
			}
		}
		return nil
	}
	l.files[path] = &hcl.File{Bytes: masked(src, attrs, decls), Nav: f.Nav}
	args := map[string]argument{}
	for _, a := range inOrder(attrs) {
		v, diags := a.Expr.Value(nil)
		if d := decls[a.Name]; diags.HasErrors() && d != nil && d.sensitive {
			diags = hcl.Diagnostics{problem(a.NameRange, "Invalid value", "The value is no constant; it is sensitive and not shown.")}
		}
		l.add(diags...)
		if !diags.HasErrors() {
			args[a.Name] = argument{v, a.Range}
		}
	}
	return args
}

// parseValues parses a file of values by its name. The file is never nil.
func parseValues(src []byte, path string) (*hcl.File, hcl.Diagnostics) {
	switch filepath.Ext(path) {
	case ".yaml", ".yml", ".json": // JSON is YAML too
		return yamlbody.Parse(src, path, yamlbody.Options{})
	}
	return parseHCL(src, path)
}

// masked is the source of a file of values with the values of sensitive variables overwritten, as diagnostics may show it:
// all from such a value on up to the next name.
func masked(src []byte, attrs hcl.Attributes, decls map[string]*variable) []byte {
	out := append([]byte(nil), src...)
	all := inOrder(attrs)
	for i, a := range all {
		if d := decls[a.Name]; d == nil || !d.sensitive {
			continue
		}
		end := len(out)
		if i+1 < len(all) {
			end = all[i+1].NameRange.Start.Byte
		}
		for k := a.Expr.Range().Start.Byte; k < end; k++ {
			if out[k] != '\n' && out[k] != '\r' {
				out[k] = '*'
			}
		}
	}
	return out
}
