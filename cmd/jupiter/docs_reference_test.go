package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"jupiter/plugins/schema"
)

// TestDiagnosticsDocumented: docs/diagnostics.md explains each summary of the configuration's, and no others.
func TestDiagnosticsDocumented(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(filepath.Join(repository, "docs", "diagnostics.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(b), "## In a configuration")
	table, _, _ = strings.Cut(table, "\n## ")
	explained := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\| ([A-Z][^|]*?)(?: \(warning\))? \|`).FindAllStringSubmatch(table, -1) {
		explained[m[1]] = true
	}
	said := summaries(t, "plan", "plan/config", "plan/config/older", "plan/lang", "plan/lang/yamlbody", "plugins/lockfile", "plugins/install", "cmd/jupiter")
	for _, s := range slices.Sorted(maps.Keys(said)) {
		if !explained[s] {
			t.Errorf("docs/diagnostics.md does not explain %q", s)
		}
	}
	for _, s := range slices.Sorted(maps.Keys(explained)) {
		if !said[s] {
			t.Errorf("docs/diagnostics.md explains %q, which nothing says", s)
		}
	}
}

// summaries finds the summaries of diagnostics in the source of packages: the first text with a capital that is handed
// to problem, warning, fail or refuse, or stands as a Summary.
func summaries(t *testing.T, dirs ...string) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	add := func(e ast.Expr) {
		if isSummary(e) {
			found[literal(e)] = true
		}
	}
	for _, dir := range dirs {
		paths, err := filepath.Glob(filepath.Join(repository, dir, "*.go"))
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: %v", dir, err)
		}
		for _, p := range paths {
			if strings.HasSuffix(p, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				switch x := n.(type) {
				case *ast.CallExpr:
					if name := called(x); (name == "fail" && len(x.Args) > 2) || name == "problem" || name == "warning" {
						if i := slices.IndexFunc(x.Args, isSummary); i >= 0 {
							add(x.Args[i])
						}
					}
				case *ast.KeyValueExpr:
					if k, ok := x.Key.(*ast.Ident); ok && k.Name == "Summary" {
						add(x.Value)
					}
				}
				return true
			})
		}
	}
	if len(found) < 80 {
		t.Errorf("found %d summaries only", len(found))
	}
	return found
}

// literal is the text that an expression spells out; "" where it is no string literal.
func literal(e ast.Expr) string {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return ""
	}
	s, err := strconv.Unquote(lit.Value)
	if err != nil {
		return ""
	}
	return s
}

func isSummary(e ast.Expr) bool {
	s := literal(e)
	return s != "" && s[0] >= 'A' && s[0] <= 'Z'
}

// called is the name of the function or method that a call calls.
func called(x *ast.CallExpr) string {
	switch f := x.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

// TestAttributesDocumented: docs/language.md names every attribute of the built-in stages below its stage. The fake
// stages are for tests and have none there.
func TestAttributesDocumented(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(filepath.Join(repository, "docs", "language.md"))
	if err != nil {
		t.Fatal(err)
	}
	stages := builtinStages(t, t.TempDir())
	seen := 0
	for _, s := range stages {
		if s.Type == "fake" {
			continue
		}
		kind := s.Kind
		if kind == "collector" {
			kind = "source" // the block that says it
		}
		_, section, found := strings.Cut(string(b), fmt.Sprintf("\n### %s %q\n", kind, s.Type))
		if !found {
			t.Errorf("docs/language.md has no section %s %q", kind, s.Type)
			continue
		}
		section, _, _ = strings.Cut(section, "\n### ")
		rows := map[string]bool{}
		for _, m := range regexp.MustCompile("(?m)^\\| `([a-z0-9_]+)` \\|").FindAllStringSubmatch(section, -1) {
			rows[m[1]] = true
		}
		all := slices.Clone(s.Attributes)
		for _, b := range s.Blocks {
			all = append(all, b.Attributes...)
		}
		for _, a := range all {
			seen++
			if !rows[a.Name] {
				t.Errorf("docs/language.md says nothing of %s %q, %s", kind, s.Type, a.Name)
			}
			delete(rows, a.Name)
		}
		for _, name := range slices.Sorted(maps.Keys(rows)) {
			t.Errorf("docs/language.md has an attribute %s of %s %q, which has none", name, kind, s.Type)
		}
	}
	if seen < 40 {
		t.Errorf("looked at %d attributes only", seen)
	}
}

// builtinStages are the stages that come with the program.
func builtinStages(t *testing.T, cache string) []*schema.Stage {
	t.Helper()
	w := here()
	w.executable = func() (string, error) { return exec.LookPath("jupiter") }
	w.environ = append(w.environ, "XDG_CACHE_HOME="+cache)
	h, err := newHost(w, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	stages, err := h.Stages(t.Context())
	if err = errors.Join(err, h.Close()); err != nil {
		t.Fatal(err)
	}
	return stages
}

// coreWords are the attributes and blocks that the core reads: the names in the tables of the grammar.
func coreWords(t *testing.T) map[string]bool {
	t.Helper()
	seen := map[string]bool{}
	paths, err := filepath.Glob(filepath.Join(repository, "plan", "config", "grammar_*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range paths {
		f, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if kv, ok := n.(*ast.KeyValueExpr); ok {
				if k, ok := kv.Key.(*ast.Ident); ok && (k.Name == "name" || k.Name == "typ") && literal(kv.Value) != "" {
					seen[literal(kv.Value)] = true
				}
			}
			return true
		})
	}
	if len(seen) < 100 {
		t.Errorf("found %d attributes and blocks only", len(seen))
	}
	return seen
}

// codeSpan is inline code that begins with the program's name.
var codeSpan = regexp.MustCompile("`jupiter ([a-z][^`\n]*)`")

// notThere are commands that a document names and the program does not have. A line that is no longer needed is an error.
var notThere = map[string]string{}

// TestCommandsNamedInDocs: what the docs call a command, outside of blocks, is one, with the flags that it is given.
func TestCommandsNamedInDocs(t *testing.T) {
	t.Parallel()
	root := newRootCommand(here())
	root.InitDefaultCompletionCmd()
	seen, missed := 0, map[string]bool{}
	for _, d := range documents(t) {
		for _, m := range codeSpan.FindAllStringSubmatch(d.text, -1) {
			seen++
			words := strings.Fields(m[1])
			cmd, rest, err := root.Find(words)
			if err != nil || !cmd.HasParent() || cmd.HasSubCommands() && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
				if notThere[m[1]] == d.path {
					missed[m[1]] = true
					continue
				}
				t.Errorf("%s: there is no command `jupiter %s`", d.path, m[1])
				continue
			}
			for _, w := range rest {
				name, long := strings.CutPrefix(w, "--")
				if name, _, _ = strings.Cut(name, "="); long && cmd.Flags().Lookup(name) == nil && cmd.InheritedFlags().Lookup(name) == nil {
					t.Errorf("%s: `jupiter %s`: there is no flag --%s", d.path, m[1], name)
				}
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(notThere)) {
		if !missed[name] {
			t.Errorf("take jupiter %s out of notThere: %s does not name it, or it is there", name, notThere[name])
		}
	}
	if seen < 20 {
		t.Errorf("found %d commands only", seen)
	}
}
