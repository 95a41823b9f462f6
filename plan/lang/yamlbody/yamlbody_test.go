package yamlbody

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/zclconf/go-cty/cty"
)

func parse(t *testing.T, src string) *hcl.File {
	t.Helper()
	f, diags := Parse([]byte(src), "t.yaml", Options{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return f
}

func attr(t *testing.T, src, name string) hcl.Expression {
	t.Helper()
	attrs, diags := parse(t, src).Body.JustAttributes()
	if diags.HasErrors() || attrs[name] == nil {
		t.Fatalf("no attribute %s: %v", name, diags)
	}
	return attrs[name].Expr
}

// TestPositions proves that a reference in a template is reported where it stands, in every style of scalar. The word
// here marks the place in each source.
func TestPositions(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"plain":                  "a: ${here}\n",
		"plain with text":        "a: before ${ here } after\n",
		"plain over lines":       "a: one\n  two\n\n  three ${here}\n  four\n",
		"double quoted":          "a: \"x ${here}\"\n",
		"escapes":                "a: \"\\t\\\"\\u00e9\\x41 ${here}\"\n",
		"escaped line break":     "a: \"one \\\n   two ${here}\"\n",
		"double over lines":      "a: \"one\n  two\n\n  ${here}\"\n",
		"double, not indented":   "a: \"${g(1,\nhere)}\"\n",
		"single quoted":          "a: 'it''s ${here}'\n",
		"single over lines":      "a: 'one\n   ${here}'\n",
		"literal":                "a: |\n  one\n    two\n\n  ${here}\n",
		"literal, indicator":     "a: |2-\n    one\n  ${here}\n",
		"literal, windows":       "a: |\r\n  one\r\n  ${here}\r\n",
		"literal, deep":          "b: 1\na:\n  - |\n    ${here}\n",
		"folded":                 "a: >-\n  one\n  two\n\n  three ${here}\n",
		"folded, more indented":  "a: >\n  one\n    two\n  three ${here}\n",
		"folded, comment":        "a: > # a comment\n\n  one\n  ${here}\n",
		"anchor and tag":         "a: &x !!str ${here}\n",
		"flow":                   "a: [1, \"${here}\"]\n",
		"wide characters":        "a: äö漢 ${here}\n",
		"combining characters":   "a: e\u0301 ${here}\n",
		"byte order mark":        "\ufeffa: ${here}\n",
		"first line break is CR": "b: 1\ra: ${here}\n",
		"key":                    "a: { \"${here}\": 1 }\n",
	}
	for name, src := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			vars := attr(t, src, "a").Variables()
			if len(vars) != 1 {
				t.Fatalf("%d references", len(vars))
			}
			got := vars[0].SourceRange()
			at := strings.Index(src, "here")
			if got.Start.Byte != at || got.End.Byte != at+4 {
				t.Errorf("bytes %d–%d, want %d–%d", got.Start.Byte, got.End.Byte, at, at+4)
			}
			line := 1 + strings.Count(src[:at], "\n")
			prefix := strings.TrimPrefix(src[strings.LastIndexByte(src[:at], '\n')+1:at], "\ufeff")
			if i := strings.LastIndexByte(prefix, '\r'); i >= 0 {
				prefix = prefix[i+1:]
				line, got.Start.Line = 0, 0 // editors disagree about a lone carriage return
				got.Start.Column = len(prefix) + 1
			}
			if col := 1 + len([]rune(strings.ReplaceAll(prefix, "\u0301", ""))); got.Start.Line != line || got.Start.Column != col {
				t.Errorf("line %d column %d, want %d, %d", got.Start.Line, got.Start.Column, line, col)
			}
		})
	}
}

// TestLongLine proves that positions in a line that has tables are those that counting gives, and that a long line does not
// take time in the square of its length.
func TestLongLine(t *testing.T) {
	t.Parallel()
	for _, piece := range []string{"\"x${a}\", ", "\"é漢e\u0301 ${a}\", "} {
		src := "b: 1\na: [" + strings.Repeat(piece, 30_000) + "\"\"]\n"
		vars := attr(t, src, "a").Variables()
		if len(vars) != 30_000 {
			t.Fatalf("%d references", len(vars))
		}
		line := src[len("b: 1\n"):]
		for _, i := range []int{0, 1, 500, 29_999} {
			at := len("a: [") + i*len(piece) + strings.Index(piece, "{") + 1
			col := 1 + len([]rune(strings.ReplaceAll(line[:at], "\u0301", "")))
			if got := vars[i].SourceRange().Start; got.Byte != at+len("b: 1\n") || got.Line != 2 || got.Column != col {
				t.Errorf("reference %d at %v, want byte %d, column %d", i, got, at, col)
			}
		}
	}
}

// TestStaticPosition proves that what is read without evaluation, types and addresses, has its place too.
func TestStaticPosition(t *testing.T) {
	t.Parallel()
	for _, src := range []string{
		"a: object({x = BAD})\n", "a: >-\n  object({\n  x = string, y = list(BAD)})\n", "a: \"tuple([\\x20string,\nBAD])\"\n",
		"a: >-\n  object({x = optional(\n  BAD)})\n",
	} {
		src := strings.Replace(src, "BAD", "wrong", 1)
		_, _, diags := typeexpr.TypeConstraintWithDefaults(attr(t, src, "a"))
		if !diags.HasErrors() || diags[0].Subject == nil {
			t.Errorf("%q: no error with a place: %v", src, diags)
			continue
		}
		at := strings.Index(src, "wrong")
		if s := diags[0].Subject; s.Start.Byte != at || s.Start.Line != 1+strings.Count(src[:at], "\n") {
			t.Errorf("%q: error at %v, byte %d, and the mistake at %d: %s", src, s, s.Start.Byte, at, diags)
		}
	}
	src := "a: \"trainer.llama.\\x6fld\"\n"
	got, diags := hcl.AbsTraversalForExpr(attr(t, src, "a"))
	if diags.HasErrors() || src[got.SourceRange().Start.Byte:got.SourceRange().End.Byte] != `trainer.llama.\x6fld` {
		t.Errorf("%v; %v", got.SourceRange(), diags)
	}
}

// TestErrorPosition proves that diagnostics of evaluation and of parsing point into moved scalars too.
func TestErrorPosition(t *testing.T) {
	t.Parallel()
	for _, src := range []string{
		"a: >-\n  one\n  ${BAD}\n", "a: \"\\t${BAD}\"\n", "a: ${BAD}\n",
	} {
		for _, bad := range []string{`1 + true`, `1 + `, `missing(1)`, `{}.x`} {
			src := strings.Replace(src, "BAD", bad, 1)
			_, diags := attr(t, src, "a").Value(nil)
			if !diags.HasErrors() || diags[0].Subject == nil {
				t.Errorf("%q: no error with a place: %v", src, diags)
				continue
			}
			at := strings.Index(src, bad)
			if s := diags[0].Subject; s.Start.Byte < at || s.End.Byte > at+len(bad)+1 {
				t.Errorf("%q: error at bytes %d–%d, and the expression at %d–%d", src, s.Start.Byte, s.End.Byte, at, at+len(bad))
			}
		}
	}
}

func TestValues(t *testing.T) {
	t.Parallel()
	tests := map[string]cty.Value{
		"x":                         cty.StringVal("x"),
		"3":                         cty.NumberIntVal(3),
		"1_000":                     cty.NumberIntVal(1000),
		"0x1F":                      cty.NumberIntVal(31),
		"-2.50":                     cty.NumberFloatVal(-2.5),
		"+7":                        cty.NumberIntVal(7),
		"1e3":                       cty.NumberIntVal(1000),
		"true":                      cty.True,
		"yes":                       cty.StringVal("yes"),
		"2026-01-02":                cty.StringVal("2026-01-02"),
		"~":                         cty.NullVal(cty.DynamicPseudoType),
		"":                          cty.NullVal(cty.DynamicPseudoType),
		`"3"`:                       cty.StringVal("3"),
		"!!str 3":                   cty.StringVal("3"),
		"[1, x]":                    cty.TupleVal([]cty.Value{cty.NumberIntVal(1), cty.StringVal("x")}),
		"{ k: 1 }":                  cty.ObjectVal(map[string]cty.Value{"k": cty.NumberIntVal(1)}),
		"${1 + 1}":                  cty.NumberIntVal(2),
		"${[1]}":                    cty.TupleVal([]cty.Value{cty.NumberIntVal(1)}),
		"n = ${1 + 1}":              cty.StringVal("n = 2"),
		`"%{ if true }y%{ endif }"`: cty.StringVal("y"),
		"$${literal}":               cty.StringVal("${literal}"),
		"$$5":                       cty.StringVal("$$5"),
		"'{topic} and \\n'":         cty.StringVal("{topic} and \\n"),
		"|\n  a\n  b\n":             cty.StringVal("a\nb\n"),
	}
	for text, want := range tests {
		got, diags := attr(t, "a: "+text, "a").Value(nil)
		if diags.HasErrors() || !got.RawEquals(want) {
			t.Errorf("%q = %#v, want %#v; %v", text, got, want, diags)
		}
	}
	for _, text := range []string{".inf", ".nan", "007", "!!int x", "!!bool maybe"} {
		_, diags := attr(t, "a: "+text, "a").Value(nil)
		if !diags.HasErrors() {
			t.Errorf("%q has a value", text)
		}
	}
}

func TestMerge(t *testing.T) {
	t.Parallel()
	const src = "base: &b { x: 1, y: 2 }\nother: &c { y: 3, z: 4 }\na: { <<: [*b, *c], x: 0 }\n"
	got, diags := attr(t, src, "a").Value(nil)
	n := cty.NumberIntVal
	if want := cty.ObjectVal(map[string]cty.Value{"x": n(0), "y": n(2), "z": n(4)}); diags.HasErrors() || !got.RawEquals(want) {
		t.Errorf("merged = %#v, %v", got, diags)
	}
}

func TestBlocks(t *testing.T) {
	t.Parallel()
	const src = `
trainer:
  llama:
    a: { x: 1 }
    b:
  gpt: { c: {} }
rule:
  - { x: 1 }
  - { x: 2 }
select: { x: 3 }
`
	schema := &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "trainer", LabelNames: []string{"type", "name"}}, {Type: "rule"}, {Type: "select"}}}
	content, diags := parse(t, src).Body.Content(schema)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var got []string
	for _, b := range content.Blocks {
		attrs, _ := b.Body.JustAttributes()
		got = append(got, fmt.Sprintf("%s %v line %d, %d attributes", b.Type, b.Labels, b.DefRange.Start.Line, len(attrs)))
	}
	want := []string{
		"trainer [llama a] line 4, 1 attributes", "trainer [llama b] line 5, 0 attributes", "trainer [gpt c] line 6, 0 attributes",
		"rule [] line 8, 1 attributes", "rule [] line 9, 1 attributes", "select [] line 10, 1 attributes",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestStatic(t *testing.T) {
	t.Parallel()
	const src = "k: string\nc: list(string)\nt: trainer.llama.old\nl: [x, y]\n"
	if hcl.ExprAsKeyword(attr(t, src, "k")) != "string" {
		t.Error("a plain word is no keyword")
	}
	if call, diags := hcl.ExprCall(attr(t, src, "c")); diags.HasErrors() || call.Name != "list" || call.NameRange.Start.Line != 2 || call.NameRange.Start.Column != 4 {
		t.Errorf("call = %+v, %v", call, diags)
	}
	if tr, diags := hcl.AbsTraversalForExpr(attr(t, src, "t")); diags.HasErrors() || len(tr) != 3 || tr.SourceRange().Start.Line != 3 {
		t.Errorf("traversal = %+v, %v", tr, diags)
	}
	if list, diags := hcl.ExprList(attr(t, src, "l")); diags.HasErrors() || len(list) != 2 {
		t.Errorf("list = %v, %v", list, diags)
	}
}

func TestHostile(t *testing.T) {
	t.Parallel()
	laughs := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := 1; i < 10; i++ {
		laughs += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	tests := map[string]struct{ src, want string }{
		"aliases":       {laughs, "Aliases expand too far"},
		"depth":         {strings.Repeat("[", 500) + strings.Repeat("]", 500), "Nested too deeply"},
		"endless":       {"a: &a { b: *a }\n", "Endless alias"},
		"size":          {"a: " + strings.Repeat("x", maxSize), "File too large"},
		"encoding":      {"a: \xff\n", "Invalid encoding"},
		"UTF-16":        {"\xff\xfea\x00:\x00 \x001\x00", "Invalid encoding"},
		"control":       {"a: \x01\n", "Invalid YAML"},
		"unknown alias": {"a: *b\n", "Invalid YAML"},
		"complex key":   {"? [a, b]\n: 1\n", "Key is not text"},
		"null key":      {"~: 1\n", "Key is not text"},
		"merged key":    {"a: 1\nb: 2\n\"a\": 3\n", "Duplicate key"},
	}
	for name, tt := range tests {
		_, diags := Parse([]byte(tt.src), "t.yaml", Options{})
		if len(diags) == 0 || diags[0].Summary != tt.want || diags[0].Subject == nil {
			t.Errorf("%s: %v, want %q with a place", name, diags, tt.want)
		}
	}
	deep := "a: ${" + strings.Repeat("(", 100_000) + strings.Repeat(")", 100_000) + "}\n"
	if _, diags := attr(t, deep, "a").Value(nil); !diags.HasErrors() || diags[0].Subject == nil {
		t.Error("a deep expression was parsed")
	}
}

func TestContext(t *testing.T) {
	t.Parallel()
	const src = "locals:\n  a: 1\ntrainer:\n  llama:\n    one: { x: 1 }\n    two:\n      x: 2\n"
	f, _ := Parse([]byte(src), "t.yaml", Options{Labels: func(b string) int { return map[string]int{"trainer": 2}[b] }})
	nav := f.Nav.(interface{ ContextString(int) string })
	for at, want := range map[string]string{"x: 1": `trainer "llama" "one"`, "x: 2": `trainer "llama" "two"`, "a: 1": "locals"} {
		if got := nav.ContextString(strings.Index(src, at)); got != want {
			t.Errorf("at %q: %s, want %s", at, got, want)
		}
	}
}

// FuzzParse looks for a panic, for an error without a place, and for a scalar whose bytes are not found in the source.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"a: ${b}\n", "a: >-\n  x\n   y\n\n  ${b}\n", "a: \"\\u00e9 ${b}\"\n", "a: 'x''y\n  z'\n", "a: |2\n     x\n", "- &a [*a]", "{a: {b: [c, d]}}",
		"a:\n  - b\n  - ? c\n    : d\n", "<<: {a: 1}\nb: 1\n"} {
		f.Add([]byte(s))
	}
	ctx := &hcl.EvalContext{}
	f.Fuzz(func(t *testing.T, src []byte) {
		file, diags := Parse(src, "t.yaml", Options{})
		for _, d := range diags {
			if d.Subject == nil {
				t.Fatalf("no place: %v", d)
			}
		}
		if diags.HasErrors() {
			return
		}
		attrs, _ := file.Body.JustAttributes()
		for _, a := range attrs {
			a.Expr.Variables()
			_, diags := a.Expr.Value(ctx)
			for _, d := range diags {
				if d.Subject == nil || d.Subject.End.Byte > len(src) || d.Subject.Start.Byte > d.Subject.End.Byte {
					t.Fatalf("%q: bad place %v in %v", src, d.Subject, d)
				}
			}
			hcl.ExprAsKeyword(a.Expr)
			hcl.ExprCall(a.Expr)
		}
		file.Body.Content(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "a", LabelNames: []string{"x", "y"}}, {Type: "b"}}})
		if nav, ok := file.Nav.(interface{ ContextString(int) string }); ok {
			nav.ContextString(len(src) / 2)
		}
	})
}
