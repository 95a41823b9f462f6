package main

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"jupiter/plugins/builtin/llama/bpe"
)

// TestReport: ratios are medians over pairs of turns, the line for scripts is the last, what was not measured is null, and a
// goal that is missed is said to be.
func TestReport(t *testing.T) {
	t.Parallel()
	r := &report{}
	add := func(model string, threads int, side string, peak float64, rates ...float64) {
		for _, s := range subjects {
			if s.name != model {
				continue
			}
			for _, x := range rates {
				turn := turn{PeakMB: peak}
				if side == ours {
					turn.AllocKB = 40
				}
				r.add(s, threads, side, turn, x)
			}
		}
	}
	r.met(ours, about{CPU: "avx512"})
	add("B", 1, ours, 310, 100, 400, 110)
	r.noPeer = "no reason"
	check(t, r, `{"A_1t":null,"A_2t":null,"Q_1t":null,"Q_2t":null,"B_1t":null,"B_2t":null,"gemm_min":null,"scaling_B":null,"alloc_kb":40,"peak_mb_B":310,"peer":null}`,
		"| B | 1 | ours | 3 | 110 (100–400) |  |", "| memory, model B | 310 MB | under 300 MB | NOT MET |", "- There is no peer: no reason.")
	r.noPeer = ""
	r.met(torch, about{Version: "9", BLAS: "some", CPU: "AVX"})
	add("B", 1, torch, 0, 50, 400, 100)
	add("B", 2, ours, 200, 200, 400, 198)
	x, y := subjects[0].shapes()[0], subjects[1].shapes()[2]
	r.addProduct(x, 1, ours, 90)
	r.addProduct(x, 1, openBLAS, 100)
	r.addProduct(y, 1, ours, 50)
	r.addProduct(y, 1, openBLAS, 100)
	r.addProduct(y, 2, ours, 10)
	r.addProduct(y, 2, openBLAS, 100)
	check(t, r, `{"A_1t":null,"A_2t":null,"Q_1t":null,"Q_2t":null,"B_1t":1.1,"B_2t":null,"gemm_min":0.5,"scaling_B":1.8,"alloc_kb":40,"peak_mb_B":310,"peer":"PyTorch 9, some, AVX"}`,
		"| B | 1 | PyTorch | 3 | 100 (50–400) | 1.10 |", "| model B, one thread | 1.10 × | at least 1.0 × PyTorch | met |",
		"| model B, two threads against one | 1.80 × | at least 1.8 × | met |",
		"| matrix products, one thread, the least: Q, qkv: Aᵀ·B, 192 × 64 × 1024 | 0.50 × | at least 0.9 × OpenBLAS | NOT MET |",
		"| matrix products, two threads, the least | 0.10 × | at least 0.9 × OpenBLAS | NOT MET |")
}

func check(t *testing.T, r *report, want string, lines ...string) {
	t.Helper()
	var b strings.Builder
	if err := r.write(&b); err != nil {
		t.Fatal(err)
	}
	all := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	if line, ok := strings.CutPrefix(all[len(all)-1], "RESULT "); !ok || line != want {
		t.Errorf("the last line is\n%s, want\n%s", all[len(all)-1], want)
	}
	for _, l := range lines {
		if !strings.Contains(b.String(), "\n"+l+"\n") {
			t.Errorf("no line\n%s\nin\n%s", l, b.String())
		}
	}
}

// TestQuickstart: Q is what the quickstart trains, with the tokens and about the lengths of its domain.
func TestQuickstart(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../domains/quantities/real.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, l := range strings.Split(strings.TrimSpace(string(b)), "\n") {
		var r struct{ Prompt, Text string }
		if err := json.Unmarshal([]byte(l), &r); err != nil {
			t.Fatal(err)
		}
		texts = append(texts, r.Prompt+r.Text)
	}
	each := func(yield func(string) bool) {
		for _, s := range texts {
			if !yield(s) {
				return
			}
		}
	}
	tok := bpe.Train(each, bpe.Options{VocabSize: 512, SpacesApart: true})
	tokens := 0
	for _, s := range texts {
		tokens += len(tok.Encode(s))
	}
	q := subjects[1]
	if mean := float64(tokens) / float64(len(texts)); q.name != "Q" || tok.Size() != q.vocab || mean < 0.75*float64(q.length) || mean > float64(q.length) {
		t.Errorf("%d tokens, mean length %.1f; Q is %+v", tok.Size(), mean, q)
	}
	plan, err := os.ReadFile("../../examples/quickstart/quickstart.jupiter.hcl")
	if err != nil {
		t.Fatal(err)
	}
	student := string(plan)[strings.Index(string(plan), `trainer "llama" "student"`):]
	for _, want := range []string{"layers        = 2\n", "dim           = 64\n", "heads         = 4\n", "ffn           = 176\n"} {
		if !strings.Contains(student, want) {
			t.Errorf("the quickstart's student has no %q", want)
		}
	}
	if !strings.Contains(string(plan), "batch_size         = 32\n") {
		t.Error("the quickstart has no batch of 32")
	}
}

// TestSequences: a step of ours has as many predictions as the peer's.
func TestSequences(t *testing.T) {
	t.Parallel()
	for _, s := range subjects {
		rows := 0
		for _, q := range s.sequences(rand.New(rand.NewPCG(1, 1)).IntN) {
			rows += len(q.Tokens) - 1
		}
		if rows != s.tokens() {
			t.Errorf("%s: %d predictions, want %d", s.name, rows, s.tokens())
		}
	}
}
