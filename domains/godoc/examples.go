package godoc

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// examplesOf gives a package's examples, in the order of its files and declarations. What has no doc comment that names it, or is
// too long, is left out.
func examplesOf(goroot, path string) ([]Example, error) {
	s, err := load(goroot, filepath.Join(goroot, "src", filepath.FromSlash(path)), path, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	var out []Example
	for _, f := range s.files {
		if ast.IsGenerated(f) {
			continue
		}
		for _, d := range f.Decls {
			if e, ok := s.example(f, d); ok {
				out = append(out, e)
			}
		}
	}
	return out, nil
}

func (s *source) example(f *ast.File, d ast.Decl) (Example, bool) {
	names, family, comment := declared(d)
	if len(names) == 0 {
		return Example{}, false
	}
	doc := docText(comment)
	i := slices.IndexFunc(names, func(n string) bool { return mentions(doc, n) })
	if i < 0 {
		return Example{}, false
	}
	e := Example{Path: s.path, Name: names[i], Family: family, Prompt: clause(s.path, s.name) + doc}
	cut := func(from, to token.Pos) string {
		return string(s.text[f][s.fset.Position(from).Offset:s.fset.Position(to).Offset])
	}
	e.Text = cut(d.Pos(), d.End())
	if fd, ok := d.(*ast.FuncDecl); ok {
		e.head, e.tail, e.types = cut(fd.Pos(), fd.Name.End()), cut(fd.Name.End(), fd.Type.End()), typesOf(fd.Type)
		if len(e.Prompt)+len(e.Text) > maxExample {
			e.Text = e.signature()
		}
	}
	return e, len(e.Prompt)+len(e.Text) <= maxExample
}

// signature is the declaration of a function without its body.
func (e Example) signature() string { return e.head + e.tail }

// declared gives the names of a declaration, its family and its doc comment; no names: nothing to learn from.
func declared(d ast.Decl) (names []string, family string, doc *ast.CommentGroup) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv != nil {
			return []string{d.Name.Name}, Method, d.Doc
		}
		if d.Name.Name == "init" {
			return nil, "", nil // a package has any number of them, and nobody can call one
		}
		return []string{d.Name.Name}, Func, d.Doc
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				names = append(names, spec.Name.Name)
			case *ast.ValueSpec:
				for _, n := range spec.Names {
					names = append(names, n.Name)
				}
			}
		}
		return names, d.Tok.String(), d.Doc
	}
	return nil, "", nil
}

var directive = regexp.MustCompile(`^//(?:[a-z0-9]+:[a-z0-9]|line |export |extern )`)

// docText is a comment as it is written, without directives, cut after the last paragraph that fits; "": there is none that fits.
func docText(c *ast.CommentGroup) string {
	if c == nil {
		return ""
	}
	var kept string
	var b strings.Builder
	for _, l := range c.List {
		if strings.HasPrefix(l.Text, "/*") {
			return ""
		}
		if directive.MatchString(l.Text) {
			continue
		}
		if strings.TrimSpace(l.Text) == "//" {
			kept = b.String()
		}
		b.WriteString(strings.TrimRight(l.Text, " \t"))
		b.WriteByte('\n')
		if b.Len() > maxDoc {
			return kept
		}
	}
	return strings.TrimRight(strings.TrimSuffix(b.String(), "//\n"), "\n") + "\n"
}

// mentions reports whether a text has a name as a word.
func mentions(text, name string) bool {
	for rest := text; name != "_"; {
		i := strings.Index(rest, name)
		if i < 0 {
			return false
		}
		end := i + len(name)
		if (i == 0 || !letter(rest[i-1])) && (end == len(rest) || !letter(rest[end])) {
			return true
		}
		rest = rest[end:]
	}
	return false
}

// letter reports whether a byte can be part of a name.
func letter(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= 0x80
}

// typesOf writes the types of a signature without the names of parameters, so that two spellings of one signature are equal.
func typesOf(t *ast.FuncType) string {
	var b strings.Builder
	list := func(fields *ast.FieldList) {
		b.WriteByte('(')
		if fields != nil {
			for _, f := range fields.List {
				for range max(1, len(f.Names)) {
					b.WriteString(types.ExprString(f.Type))
					b.WriteByte(',')
				}
			}
		}
		b.WriteByte(')')
	}
	list(t.TypeParams)
	list(t.Params)
	list(t.Results)
	return b.String()
}
