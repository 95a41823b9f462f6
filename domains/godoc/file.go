package godoc

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"
)

// checked is a file that stands for a declaration: with the imports that it needs, and a method made a function.
type checked struct {
	ast   *ast.File
	fset  *token.FileSet
	names map[string]bool // what it declares
	start token.Pos       // the end of the imports
}

// before stands before a declaration that is parsed by itself.
const before = "package p\n"

var errForm = errors.New("not one declaration")

// file makes a declaration a file of a package.
func (p *library) file(decl string) (checked, error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "", before+decl, parser.SkipObjectResolution)
	if err != nil {
		return checked{}, err
	}
	if len(f.Decls) != 1 || len(f.Imports) > 0 {
		return checked{}, errForm
	}
	d := f.Decls[0]
	names, _, _ := declared(d)
	if fd, ok := d.(*ast.FuncDecl); ok {
		generic := fd.Type.TypeParams != nil
		if fd.Recv != nil {
			names = []string{methodName}
			if decl, generic, err = p.function(fd, decl, fset); err != nil {
				return checked{}, err
			}
		}
		if generic && fd.Body == nil { // without type parameters it may be written in assembly, and go/types lets it pass
			decl = strings.TrimSpace(decl) + " { panic(0) }"
		}
	}
	c := checked{fset: token.NewFileSet(), names: map[string]bool{}}
	for _, n := range names {
		c.names[n] = true
	}
	if f, err = parser.ParseFile(token.NewFileSet(), "", before+decl, parser.SkipObjectResolution); err != nil {
		return checked{}, err
	}
	head := "package " + p.types.Name() + "\n" + p.importsOf(f)
	if c.ast, err = parser.ParseFile(c.fset, "", head+decl, parser.SkipObjectResolution); err != nil {
		return checked{}, err
	}
	c.start = c.ast.FileStart + token.Pos(len(head))
	return c, nil
}

// methodName is what a method is called as a function.
const methodName = "jupiterMethod"

// importsOf declares those of the package's imports whose names stand before a dot in a file.
func (p *library) importsOf(f *ast.File) string {
	used := map[string]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := s.X.(*ast.Ident); ok && p.imports[id.Name] != "" && p.types.Scope().Lookup(id.Name) == nil {
				used[id.Name] = true
			}
		}
		return true
	})
	var b strings.Builder
	for _, n := range slices.Sorted(maps.Keys(used)) {
		fmt.Fprintf(&b, "import %s %q\n", n, p.imports[n])
	}
	for _, path := range p.dots {
		fmt.Fprintf(&b, "import . %q\n", path)
	}
	return b.String()
}

// function rewrites a method as a function whose first parameter is the receiver: a method can only be declared where its type is.
func (p *library) function(d *ast.FuncDecl, decl string, fset *token.FileSet) (text string, generic bool, err error) {
	cut := func(from, to token.Pos) string {
		return decl[fset.Position(from).Offset-len(before) : fset.Position(to).Offset-len(before)]
	}
	if len(d.Recv.List) != 1 || len(d.Recv.List[0].Names) > 1 || d.Type.TypeParams != nil {
		return "", false, errForm
	}
	recv := d.Recv.List[0]
	typeParams, err := p.typeParams(recv.Type)
	if err != nil {
		return "", false, err
	}
	var params []string
	for _, f := range append([]*ast.Field{recv}, d.Type.Params.List...) {
		name := "_ "
		if len(f.Names) > 0 {
			name = cut(f.Names[0].Pos(), f.Names[len(f.Names)-1].End()) + " "
		}
		params = append(params, name+cut(f.Type.Pos(), f.Type.End()))
	}
	return "func " + methodName + typeParams + "(" + strings.Join(params, ", ") + cut(d.Type.Params.Closing, d.End()), typeParams != "", nil
}

// typeParams writes those of a receiver as a function declares them; "": it has none.
func (p *library) typeParams(recv ast.Expr) (string, error) {
	base, args := receiver(recv)
	if base == nil {
		return "", errForm
	}
	tn, ok := p.types.Scope().Lookup(base.Name).(*types.TypeName)
	if !ok || types.IsInterface(tn.Type()) {
		return "", fmt.Errorf("receiver %s is no type of the package with methods", base.Name)
	}
	constraints := p.params[base.Name]
	if len(constraints) != len(args) {
		return "", fmt.Errorf("receiver %s has %d type parameters", base.Name, len(args))
	}
	if len(args) == 0 {
		return "", nil
	}
	var list []string
	for i, a := range args {
		id, ok := a.(*ast.Ident)
		if !ok {
			return "", errForm
		}
		list = append(list, id.Name+" "+constraints[i])
	}
	return "[" + strings.Join(list, ", ") + "]", nil
}

// receiver gives the name of a receiver's type and its type arguments; nil: it has none.
func receiver(t ast.Expr) (base *ast.Ident, args []ast.Expr) {
	if s, ok := t.(*ast.StarExpr); ok {
		t = s.X
	}
	switch e := t.(type) {
	case *ast.Ident:
		return e, nil
	case *ast.IndexExpr:
		base, _ = e.X.(*ast.Ident)
		return base, []ast.Expr{e.Index}
	case *ast.IndexListExpr:
		base, _ = e.X.(*ast.Ident)
		return base, e.Indices
	}
	return nil, nil
}

// harmless reports whether an error is of how the file is made and not of the declaration: an import whose name is another
// thing's there, or a field of the package's own that go/types takes for another package's.
func (c checked) harmless(err error) bool {
	var e types.Error
	return errors.As(err, &e) && (e.Pos < c.start || strings.Contains(e.Msg, "implicit assignment to unexported field"))
}

// Most of what a declaration may have. Constants that double each other, or aliases, make go/types take time and memory that grow as
// two to the power of their number.
const (
	maxConstSums = 12
	maxAliases   = 6
)

// excessive reports whether a declaration is above these bounds.
func excessive(f *ast.File) bool {
	sums, aliases := 0, 0
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GenDecl:
			if n.Tok == token.CONST {
				ast.Inspect(n, func(n ast.Node) bool {
					if b, ok := n.(*ast.BinaryExpr); ok && b.Op == token.ADD {
						sums++
					}
					return true
				})
			}
		case *ast.TypeSpec:
			if n.Assign.IsValid() {
				aliases++
			}
		}
		return true
	})
	return sums > maxConstSums || aliases > maxAliases
}
