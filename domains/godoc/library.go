package godoc

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/printer"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
)

// Library has the packages of a GOROOT type-checked without the bodies of their functions. A package is loaded when it is first
// named, with what it imports; all of the standard library is some seconds and some hundred megabytes.
type Library struct {
	goroot string

	mu     sync.Mutex // go/types completes types while they are used
	loaded map[string]*library
}

// library is one package.
type library struct {
	types   *types.Package
	imports map[string]string   // import path by the name under which the package's files have it
	dots    []string            // import paths whose names are the package's own
	params  map[string][]string // constraints of a generic type's parameters, as they are written
	err     error
}

// OpenLibrary looks whether a directory is a GOROOT, of a version where one is given.
func OpenLibrary(goroot, version string) (*Library, error) {
	have, err := Version(goroot)
	if err != nil {
		return nil, err
	}
	if version != "" && have != version {
		return nil, fmt.Errorf("%s is %s, and the data were made of %s: make them again with go run ./domains/godoc/gen", goroot, have, version)
	}
	return &Library{goroot: goroot, loaded: map[string]*library{}}, nil
}

// platformSizes are those of platform.
var platformSizes = types.SizesFor("gc", "amd64")

// Import is a package for go/types.
func (l *Library) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	p := l.get(path)
	return p.types, p.err
}

// get loads a package. The caller has the lock.
func (l *Library) get(path string) *library {
	if p, ok := l.loaded[path]; ok {
		return p
	}
	p := &library{err: fmt.Errorf("import cycle through %s", path)}
	l.loaded[path] = p
	*p = *l.load(path)
	return p
}

func (l *Library) load(path string) *library {
	dir := filepath.Join(l.goroot, "src", filepath.FromSlash(path))
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		dir = filepath.Join(l.goroot, "src", "vendor", filepath.FromSlash(path))
	}
	s, err := load(l.goroot, dir, path, 0)
	if err != nil {
		return &library{err: err}
	}
	p := &library{imports: map[string]string{}, params: map[string][]string{}}
	conf := types.Config{IgnoreFuncBodies: true, FakeImportC: true, Importer: l, Sizes: platformSizes}
	if p.types, p.err = conf.Check(path, s.fset, s.files, nil); p.err != nil {
		return p
	}
	for _, f := range s.files {
		for _, spec := range f.Imports {
			p.addImport(l, spec)
		}
		for _, d := range f.Decls {
			if d, ok := d.(*ast.GenDecl); ok {
				p.addParams(s, d)
			}
		}
	}
	return p
}

// addImport notes the name of an import; the first file that uses a name decides.
func (p *library) addImport(l *Library, spec *ast.ImportSpec) {
	path, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return
	}
	var name string
	if spec.Name != nil {
		name = spec.Name.Name
		if name == "." && !slices.Contains(p.dots, path) {
			p.dots = append(p.dots, path)
		}
	} else if i, err := l.Import(path); err == nil {
		name = i.Name()
	}
	if _, there := p.imports[name]; !there && name != "" && name != "_" && name != "." {
		p.imports[name] = path
	}
}

func (p *library) addParams(s *source, d *ast.GenDecl) {
	for _, spec := range d.Specs {
		if spec, ok := spec.(*ast.TypeSpec); ok && spec.TypeParams != nil {
			var list []string
			for _, f := range spec.TypeParams.List {
				var b bytes.Buffer
				if err := printer.Fprint(&b, s.fset, f.Type); err != nil {
					return
				}
				for range f.Names {
					list = append(list, b.String())
				}
			}
			p.params[spec.Name.Name] = list
		}
	}
}

// Why a declaration is not accepted, as Judgement.Reason has it.
const (
	unknownPackage = "unknown_package"
	doesNotCompile = "does_not_compile"
	tooComplex     = "too_complex"
)

// Has reports whether there is a package of a path and a name.
func (l *Library) Has(path, name string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if leftOut(path) {
		return false
	}
	p := l.get(path)
	return p.err == nil && p.types.Name() == name
}

// Check type-checks one declaration in a package, in the place of the package's own of the same name, and gives what was declared; a
// reason: it does not type-check. The rest of the package is as it was: what refers to the declaration still means the package's own.
func (l *Library) Check(path, decl string) (objects map[string]types.Object, reason string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.get(path)
	if p.err != nil {
		return nil, unknownPackage
	}
	file, err := p.file(decl)
	if err != nil {
		return nil, doesNotCompile
	}
	if excessive(file.ast) {
		return nil, tooComplex
	}
	return p.check(l, file)
}

// check has go/types judge a file. Its panics, which hostile text may cause, are a judgement too.
func (p *library) check(l *Library, f checked) (objects map[string]types.Object, reason string) {
	defer func() {
		if recover() != nil {
			objects, reason = nil, doesNotCompile
		}
	}()
	pkg := p.without(f.names)
	info := &types.Info{Defs: map[*ast.Ident]types.Object{}}
	var wrong error
	conf := types.Config{Importer: l, Sizes: platformSizes, Error: func(err error) {
		if wrong == nil && !f.harmless(err) {
			wrong = err
		}
	}}
	types.NewChecker(&conf, f.fset, pkg, info).Files([]*ast.File{f.ast}) // its error is the first, harmless or not
	if wrong != nil {
		return nil, doesNotCompile
	}
	objects = map[string]types.Object{}
	for id, obj := range info.Defs {
		if obj != nil && obj.Parent() == pkg.Scope() {
			objects[id.Name] = obj
		}
	}
	return objects, ""
}

// without is a package of the same path and the same objects but for some names.
func (p *library) without(names map[string]bool) *types.Package {
	pkg := types.NewPackage(p.types.Path(), p.types.Name())
	scope := p.types.Scope()
	for _, n := range scope.Names() {
		if !names[n] {
			pkg.Scope().Insert(scope.Lookup(n))
		}
	}
	return pkg
}
