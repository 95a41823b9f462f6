package main

import (
	"strings"
	"testing"

	"jupiter/plugins/builtin/llama/gguf"
)

// TestReport: the least ratio of llama.cpp's sides counts, the line for scripts is the last, and a goal that is missed is said
// to be.
func TestReport(t *testing.T) {
	t.Parallel()
	r := &report{version: "1", ours: "avx2", threads: 2}
	for _, x := range []struct {
		model string
		batch int
		side  string
		rates []float64
	}{
		{"A", 1, ours, []float64{100, 300, 110}}, {"A", 1, served, []float64{50, 100, 100}}, {"A", 1, benched, []float64{100, 400, 100}},
		{"A", 64, ours, []float64{9}}, {"A", 64, served, []float64{10}},
		{"B", 1, ours, []float64{5}}, {"B", 1, served, []float64{1}},
		{"B", 64, ours, []float64{5}}, {"B", 64, served, []float64{5}},
	} {
		for _, rate := range x.rates {
			r.add(x.model, x.batch, x.side, rate)
		}
	}
	var b strings.Builder
	if err := r.write(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"\n| A | 1 | ours | 3 | 110 (100–300) |  |\n| A | 1 | llama-server | 3 | 100 (50–100) | 2.00 |\n| A | 1 | llama-bench | 3 | 100 (100–400) | 1.00 |\n",
		"\n| model A, 64 texts | 0.90 × | at least 1.0 × llama.cpp | NOT MET |\n",
		"\n| model B, 64 texts | 1.00 × | at least 1.0 × llama.cpp | met |\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no\n%s\nin\n%s", want, b.String())
		}
	}
	if want := "\nRESULT {\"A_b1\":1,\"A_b64\":0.9,\"B_b1\":5,\"B_b64\":1}\n"; !strings.HasSuffix(b.String(), want) {
		t.Errorf("%s\ndoes not end in\n%s", b.String(), want)
	}
}

// TestSubjects: a model's file has the vocabulary that its name promises, and its prompts are what both sides are given.
func TestSubjects(t *testing.T) {
	t.Parallel()
	s := subjects[0]
	file, err := s.write(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w, tok, err := gguf.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	if w.Vocab != s.vocab || tok.Size() != s.vocab || w.Context < promptTokens+textTokens {
		t.Errorf("%v", w.Config)
	}
	ids := prompt(tok, 3)
	if len(ids) != promptTokens || ids[0] != tok.BOS() {
		t.Errorf("prompt %d", ids)
	}
}
