package lang

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// Files are the files of one module. Paths in expressions are relative to the root module's directory, which is also
// what path.module is relative to: "${path.module}/x" names the same file whatever directory a command runs in, and a
// value that holds such a path does not change when the whole tree is moved. Nothing outside of the module's
// directory can be read, also not through a symbolic link.
type Files struct {
	Root   string // absolute directory of the root module
	Module string // absolute directory of this module
}

// maxFile bounds what file() and its relatives read: 16 MiB. Data sets are read by collectors.
const maxFile = 16 << 20

// maxFileset bounds the number of names of one fileset() call.
const maxFileset = 100_000

// Path is the value of path.module: slash-separated, relative to the root module.
func (f Files) Path() string {
	rel, err := filepath.Rel(f.Root, f.Module)
	if err != nil {
		return filepath.ToSlash(f.Module) // another volume on Windows
	}
	return filepath.ToSlash(rel)
}

// below gives the path of name relative to the module's directory.
func (f Files) below(name string) (string, error) {
	abs := filepath.FromSlash(name)
	if !filepath.IsAbs(abs) {
		abs = filepath.Join(f.Root, abs)
	}
	rel, err := filepath.Rel(f.Module, abs)
	if err != nil || !filepath.IsLocal(rel) {
		hint := ""
		if !filepath.IsAbs(name) && filepath.IsLocal(name) {
			hint = fmt.Sprintf("; a file of this module is written \"${path.module}/%s\"", name)
		}
		return "", fmt.Errorf("%s lies outside of the module's directory%s", name, hint)
	}
	return rel, nil
}

func (f Files) read(name string) (string, error) {
	rel, err := f.below(name)
	if err != nil {
		return "", err
	}
	root, err := os.OpenRoot(f.Module)
	if err != nil {
		return "", err
	}
	defer root.Close()
	in, err := root.Open(rel)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("there is no file %s", name)
	} else if err != nil {
		return "", err
	}
	defer in.Close()
	if info, err := in.Stat(); err != nil {
		return "", err
	} else if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a regular file", name)
	}
	b, err := io.ReadAll(io.LimitReader(in, maxFile+1))
	if err != nil {
		return "", err
	}
	if len(b) > maxFile {
		return "", fmt.Errorf("%s is larger than 16 MiB", name)
	}
	if !utf8.Valid(b) {
		return "", fmt.Errorf("%s is not UTF-8 text", name)
	}
	return string(b), nil
}

func (f Files) fileFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			s, err := f.read(args[0].AsString())
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			return cty.StringVal(s), nil
		},
	})
}

func (f Files) filesetFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "dir", Type: cty.String}, {Name: "pattern", Type: cty.String}},
		Type:   function.StaticReturnType(cty.Set(cty.String)),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			names, err := f.glob(args[0].AsString(), args[1].AsString())
			if err != nil {
				return cty.NilVal, err
			}
			if len(names) == 0 {
				return cty.SetValEmpty(cty.String), nil
			}
			vals := make([]cty.Value, len(names))
			for i, n := range names {
				vals[i] = cty.StringVal(n)
			}
			return cty.SetVal(vals), nil
		},
	})
}

func (f Files) glob(dir, pattern string) ([]string, error) {
	rel, err := f.below(dir)
	if err != nil {
		return nil, function.NewArgError(0, err)
	}
	if !doublestar.ValidatePattern(pattern) {
		return nil, function.NewArgErrorf(1, "%q is not a valid pattern", pattern)
	}
	root, err := os.OpenRoot(f.Module)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	sub, err := fs.Sub(root.FS(), path.Clean(filepath.ToSlash(rel)))
	if err != nil {
		return nil, function.NewArgError(0, err)
	}
	var names []string
	err = doublestar.GlobWalk(sub, pattern, func(p string, _ fs.DirEntry) error {
		if names = append(names, p); len(names) > maxFileset {
			return fmt.Errorf("more than %d files match", maxFileset)
		}
		return nil
	}, doublestar.WithFilesOnly(), doublestar.WithNoFollow())
	if err != nil {
		return nil, function.NewArgError(1, err)
	}
	sort.Strings(names)
	return names, nil
}

// templateFunc renders a file as a template. The template sees its own variables and all functions but templatefile.
func (f Files) templateFunc(all map[string]function.Function) function.Function {
	render := func(args []cty.Value) (cty.Value, error) {
		name := args[0].AsString()
		src, err := f.read(name)
		if err != nil {
			return cty.NilVal, function.NewArgError(0, err)
		}
		if err := CheckNesting([]byte(src), true); err != nil {
			return cty.NilVal, function.NewArgErrorf(0, "%s: %s", name, err)
		}
		if at, found := HugeNumber([]byte(src), true, name, hcl.InitialPos); found {
			return cty.NilVal, function.NewArgErrorf(0, "%s: %s", at, ErrHugeNumber)
		}
		expr, diags := hclsyntax.ParseTemplate([]byte(src), name, hcl.InitialPos)
		if diags.HasErrors() {
			return cty.NilVal, function.NewArgErrorf(0, "%s", short(diags))
		}
		if ty := args[1].Type(); !ty.IsObjectType() && !ty.IsMapType() || args[1].IsNull() {
			return cty.NilVal, function.NewArgErrorf(1, "an object with the template's variables is required")
		}
		ctx := &hcl.EvalContext{Variables: map[string]cty.Value{}, Functions: map[string]function.Function{}}
		for k, v := range all {
			if k != "templatefile" {
				ctx.Functions[k] = v
			}
		}
		for it := args[1].ElementIterator(); it.Next(); {
			k, v := it.Element()
			ctx.Variables[k.AsString()] = v
		}
		v, diags := expr.Value(ctx)
		if diags.HasErrors() { // no argument is named: the error may show what any of the variables holds
			return cty.NilVal, errors.New(short(diags))
		}
		return v, nil
	}
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}, {Name: "vars", Type: cty.DynamicPseudoType}},
		Type: func(args []cty.Value) (cty.Type, error) {
			if !args[0].IsKnown() || !args[1].IsKnown() {
				return cty.DynamicPseudoType, nil
			}
			v, err := render(args)
			if err != nil {
				return cty.NilType, err
			}
			return v.Type(), nil
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return render(args) },
	})
}

// short is the first error with its place.
func short(diags hcl.Diagnostics) string {
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			return fmt.Sprintf("%s: %s; %s", d.Subject, d.Summary, strings.TrimSuffix(d.Detail, "."))
		}
	}
	return ""
}
