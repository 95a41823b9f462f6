package lang

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

func expr(t testing.TB, src string) hcl.Expression {
	t.Helper()
	e, diags := hclsyntax.ParseExpression([]byte(src), "t.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return e
}

// scope declares locals by their expressions, and counts how often each is evaluated.
func scope(t testing.TB, dir string, locals map[string]string) (*Scope, map[string]int) {
	t.Helper()
	s, counts := NewScope(Files{Root: dir, Module: dir}), map[string]int{}
	for _, name := range slices.Sorted(maps.Keys(locals)) {
		e := expr(t, locals[name])
		s.Declare("local."+name, e.Range(), func() (cty.Value, hcl.Diagnostics) {
			counts[name]++
			return s.Eval(e, nil)
		})
	}
	return s, counts
}

func TestScope(t *testing.T) {
	t.Parallel()
	s, counts := scope(t, t.TempDir(), map[string]string{"a": "local.b + 1", "b": "local.c * 2", "c": "3", "d": "[for x in [1, 2]: x + local.c]"})
	if diags := s.Force(); diags.HasErrors() {
		t.Fatal(diags)
	}
	v, diags := s.Eval(expr(t, "[local.a, local.b, local.d, path.root]"), nil)
	n := cty.NumberIntVal
	want := cty.TupleVal([]cty.Value{n(7), n(6), cty.TupleVal([]cty.Value{n(4), n(5)}), cty.StringVal(".")})
	if diags.HasErrors() || !v.RawEquals(want) {
		t.Errorf("%#v, %v", v, diags)
	}
	for name, n := range counts {
		if n != 1 {
			t.Errorf("local.%s was evaluated %d times", name, n)
		}
	}
}

// TestErrorOnce proves that what is wrong with a name is said once, however many refer to it.
func TestErrorOnce(t *testing.T) {
	t.Parallel()
	s, _ := scope(t, t.TempDir(), map[string]string{"bad": "1 + true.x", "a": "local.bad", "b": "local.bad", "c": "local.a + local.b"})
	if diags := s.Force(); len(diags) != 1 {
		t.Errorf("%d diagnostics: %v", len(diags), diags)
	}
}

func TestLoop(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		locals map[string]string
		want   string
	}{
		{map[string]string{"a": "local.a"}, "local.a refers to itself"},
		{map[string]string{"a": "local.b", "b": "local.a", "x": "local.a"}, "local.a → local.b → local.a"},
		{map[string]string{"a": "local.b", "b": "local.c", "c": "local.b"}, "local.b → local.c → local.b"},
	} {
		s, _ := scope(t, t.TempDir(), tt.locals)
		diags := s.Force()
		if len(diags) != 1 || !strings.Contains(diags[0].Detail, tt.want) {
			t.Errorf("%v: %v, want %q", tt.locals, diags, tt.want)
		}
	}
}

// TestLongChain proves that ten thousand names, each referring to the one before, are evaluated.
func TestLongChain(t *testing.T) {
	t.Parallel()
	s := NewScope(Files{Root: "/", Module: "/"})
	const n = 10_000
	name := func(i int) string {
		return "local.l" + strings.Repeat("a", i/1000) + string(rune('a'+i%10)) + string(rune('a'+i/10%10)) + string(rune('a'+i/100%10))
	}
	for i := n - 1; i >= 0; i-- {
		e := expr(t, "1")
		if i > 0 {
			e = expr(t, name(i-1)+" + 1")
		}
		s.Declare(name(i), e.Range(), func() (cty.Value, hcl.Diagnostics) { return s.Eval(e, nil) })
	}
	if diags := s.Force(); diags.HasErrors() || !s.Value(name(n-1)).RawEquals(cty.NumberIntVal(n)) {
		t.Errorf("%#v, %v", s.Value(name(n-1)), diags)
	}
}

func TestRefs(t *testing.T) {
	t.Parallel()
	s := NewScope(Files{Root: "/", Module: "/"})
	ref := Ref{Addr: "trainer.llama.a", Kind: "trainer", Type: "llama"}
	s.Declare("trainer.llama.a", hcl.Range{}, func() (cty.Value, hcl.Diagnostics) { return RefVal(ref), nil })
	s.Declare("domain.d", hcl.Range{}, func() (cty.Value, hcl.Diagnostics) { return DomainVal("domain.d", cty.NullVal(RefType)), nil })

	v, diags := s.Eval(expr(t, "{ t = [trainer.llama.a], same = trainer.llama.a == trainer.llama.a, set = length(toset([trainer.llama.a, trainer.llama.a])), d = domain.d }"), nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if got, ok := AsRef(v.GetAttr("t").Index(cty.NumberIntVal(0))); !ok || got != ref {
		t.Errorf("reference = %+v, %v", got, ok)
	}
	if v.GetAttr("same").False() || !v.GetAttr("set").RawEquals(cty.NumberIntVal(1)) {
		t.Error("a reference is not equal to itself")
	}
	if a, ok := AsDomain(v.GetAttr("d")); !ok || a != "domain.d" {
		t.Errorf("domain = %v, %v", a, ok)
	}
	if !HasRef(v.Type()) || HasRef(cty.List(cty.String)) {
		t.Error("HasRef is wrong")
	}
	spelled := Spell(v)
	if got := spelled.GetAttr("d").GetAttr("real"); !got.RawEquals(cty.StringVal("domain.d.real")) || HasRef(spelled.Type()) {
		t.Errorf("spelled = %#v", spelled)
	}
	for _, src := range []string{`"x${trainer.llama.a}"`, `trainer.llama.a + 1`, `jsonencode(trainer.llama.a)`, `yamlencode([trainer.llama.a])`, `upper(trainer.llama.a)`,
		`trainer.llama.a.x`, `domain.d.rael`, `sort([trainer.llama.a])`, `format("%s", trainer.llama.a)`, `join(",", [trainer.llama.a])`} {
		if v, diags := s.Eval(expr(t, src), nil); !diags.HasErrors() || diags[0].Subject == nil {
			t.Errorf("%s = %#v, without an error that has a place", src, v)
		}
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"m/a.txt": "text", "m/sub/b.txt": "b", "m/bin": "\xff", "secret.txt": "outside", "m/t.tpl": "${x}${file(\"m/a.txt\")}"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../secret.txt", filepath.Join(dir, "m/link")); err != nil {
		t.Fatal(err)
	}
	s := NewScope(Files{Root: dir, Module: filepath.Join(dir, "m")})
	str := cty.StringVal
	for src, want := range map[string]cty.Value{
		`path.module`:                              str("m"),
		`file("${path.module}/a.txt")`:             str("text"),
		`fileset(path.module, "**/*.txt")`:         cty.SetVal([]cty.Value{str("a.txt"), str("sub/b.txt")}),
		`fileset(path.module, "*.none")`:           cty.SetValEmpty(cty.String),
		`templatefile("m/t.tpl", { x = 1 })`:       str("1text"),
		`try(file("${path.module}/none"), "none")`: str("none"),
		`jsondecode("{\"a\": [1]}").a[0]`:          cty.NumberIntVal(1),
		`yamldecode("a: [1]").a[0]`:                cty.NumberIntVal(1),
		`trimspace(yamlencode({ a = 1 }))`:         str(`"a": 1`),
	} {
		v, diags := s.Eval(expr(t, src), nil)
		if diags.HasErrors() || !v.RawEquals(want) {
			t.Errorf("%s = %#v, want %#v; %v", src, v, want, diags)
		}
	}
	for src, want := range map[string]string{
		`file("secret.txt")`:          "lies outside",
		`file("a.txt")`:               "${path.module}/a.txt",
		`file("m/../secret.txt")`:     "lies outside",
		`file("m/link")`:              "escapes",
		`file("/etc/passwd")`:         "lies outside",
		`file("m/sub")`:               "not a regular file",
		`file("m/bin")`:               "not UTF-8",
		`file("m/none")`:              "there is no file",
		`fileset("m", "[")`:           "not a valid pattern",
		`fileset("..", "*")`:          "lies outside",
		`templatefile("m/t.tpl", {})`: "x",
		`templatefile("m/t.tpl", 1)`:  "an object",
		`env("HOME")`:                 "only in the default of a variable",
		`timestamp()`:                 "There is no function named",
	} {
		_, diags := s.Eval(expr(t, src), nil)
		if !diags.HasErrors() || !strings.Contains(diags.Error(), want) {
			t.Errorf("%s: %v, want %q", src, diags, want)
		}
	}
}

func TestDidYouMean(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		given string
		from  []string
		want  string
	}{
		{"windw", []string{"window", "wind"}, ` Did you mean "wind"?`},
		{"trianer", []string{"generator", "trainer"}, ` Did you mean "trainer"?`},
		{"xyz", []string{"window"}, ""},
		{"gates", []string{"audit", "dev", "gate"}, ` Did you mean "gate"?`},
		{"", []string{"a"}, ""},
		{"x", []string{"l"}, ""},
		{"n", []string{"nn"}, ` Did you mean "nn"?`},
		{"ab", nil, ""},
	} {
		if got := DidYouMean(tt.given, tt.from); got != tt.want {
			t.Errorf("%q of %v: %q, want %q", tt.given, tt.from, got, tt.want)
		}
	}
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "abc", 3}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"kitten", "sitting", 3}} {
		if got := editDistance(tt.a, tt.b, 9); got != tt.want {
			t.Errorf("distance of %q and %q = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

func TestCheckNesting(t *testing.T) {
	t.Parallel()
	const n = 70_000
	pad := strings.Repeat("# padding\n", 8000)
	for name, tt := range map[string]struct {
		src string
		ok  bool
	}{
		"brackets":    {"a = " + strings.Repeat("(", n) + strings.Repeat(")", n) + "\n", false},
		"unary":       {"a = " + strings.Repeat("!", n) + "true\n", false},
		"operators":   {"a = 1" + strings.Repeat("+1", n) + "\n", false},
		"conditions":  {"a = " + strings.Repeat("true ? 1 : ", n) + "1\n", false},
		"indexes":     {"a = b" + strings.Repeat("[c]", n) + "\n", false},
		"commas":      {"a = 1" + strings.Repeat("+f(1,\n2)", n) + "\n", false},
		"newlines":    {"a = (1" + strings.Repeat("+\n1", n) + ")\n", false},
		"templates":   {"a = " + strings.Repeat(`"${`, n) + "\n", false},
		"long list":   {"a = [" + strings.Repeat("-1 + 2,\n", n) + "]\n", true},
		"many lines":  {strings.Repeat("a = -1 + 2\n", n), true},
		"many blocks": {strings.Repeat("b {\n  a = [1, 2]\n}\n", n/10), true},
		"comments":    {pad + "a = 1\n", true},
	} {
		if err := CheckNesting([]byte(tt.src), false); (err == nil) != tt.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
