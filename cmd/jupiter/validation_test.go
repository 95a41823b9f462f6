package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"jupiter/plan/config"
)

// TestSnippet: the lines of a range, and the range within them.
func TestSnippet(t *testing.T) {
	t.Parallel()
	at := func(line, from, to int) hcl.Range {
		return hcl.Range{Start: hcl.Pos{Line: line, Byte: from}, End: hcl.Pos{Byte: to}}
	}
	long := strings.Repeat("x\n", 100)
	for _, c := range []struct {
		name, src string
		r         hcl.Range
		want      *snippet
	}{
		{"one line", "a = 1\nb = 2\n", at(2, 10, 11), &snippet{2, "b = 2", 4, 5}},
		{"no line end", "a = 1", at(1, 0, 5), &snippet{1, "a = 1", 0, 5}},
		{"two lines", "a = [\n1]\n", at(1, 4, 8), &snippet{1, "a = [\n1]", 4, 8}},
		{"up to a line end", "a\nb\n", at(1, 0, 2), &snippet{1, "a", 0, 1}},
		{"a place", "a\n\nb\n", at(2, 2, 2), &snippet{2, "", 0, 0}},
		{"the end", "a\n", at(2, 2, 2), &snippet{2, "", 0, 0}},
		{"many lines", long, at(1, 0, len(long)), &snippet{1, strings.TrimSuffix(long[:2*maxSnippet], "\n"), 0, 2*maxSnippet - 1}},
		{"an empty file", "", at(1, 0, 0), nil},
		{"outside", "a", at(1, 0, 9), nil},
	} {
		if d := cmp.Diff(c.want, newSnippet([]byte(c.src), c.r)); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
}

// TestBlockAround: the address of the block that a diagnostic stands in, also of one without a name.
func TestBlockAround(t *testing.T) {
	t.Parallel()
	const src = "self_improvement {\n  patience = -1\n}\ntrainer \"llama\" \"s\" {\n  max_steps = 0\n}\nlocals {\n  a = nothing\n}\n"
	f, diags := hclsyntax.ParseConfig([]byte(src), "x", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var all hcl.Diagnostics
	for _, text := range []string{"patience", "max_steps", "nothing"} {
		i := strings.Index(src, text)
		r := hcl.Range{Filename: "x", Start: hcl.Pos{Line: 1, Byte: i}, End: hcl.Pos{Line: 1, Byte: i + len(text)}}
		all = append(all, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: text, Subject: &r})
	}
	v := newValidation(config.Files{"x": f}, append(all, &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "nowhere"}))
	var got []string
	for _, d := range v.Diagnostics {
		block := "none"
		if d.Block != nil {
			block = *d.Block
		}
		got = append(got, d.Summary+": "+block)
	}
	if d := cmp.Diff([]string{"patience: self_improvement", "max_steps: trainer.llama.s", "nothing: locals", "nowhere: none"}, got); d != "" {
		t.Error(d)
	}
	if v.Valid || v.Errors != 3 || v.Warnings != 1 {
		t.Errorf("%+v", v)
	}
}
