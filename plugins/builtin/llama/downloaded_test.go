package llama

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jupiter/plugins/builtin/llama/infer"
)

// A model that people download, as a GGUF file that LLAMA_MODEL names, is read, written in each format, and read again; and
// llama.cpp cuts texts and continues them with what was written as this engine does. Without the variable random models do the
// same in the other tests: see TestLlamaServerWritesTheSame, TestLlamaQuantizeIsRead and TestLlamaServerCutsTheSame.
func TestDownloadedModel(t *testing.T) {
	t.Parallel()
	file := os.Getenv("LLAMA_MODEL")
	if file == "" {
		t.Skip("NOT TESTED: set LLAMA_MODEL to a GGUF file of a downloaded model, such as the one that .ci/model fetches")
	}
	llamaServer(t)
	m, err := readModel(file)
	if err != nil {
		t.Fatal(err)
	}
	w, tok := m.weights, m.tokenizer
	t.Logf("%v", w.Config)
	texts := []string{"The capital of France is", "def fibonacci(n):\n", "1, 2, 3, 4, 5, 6,", "It's 2024, and they've"}
	var prompts [][]int32
	for _, text := range texts {
		prompts = append(prompts, tok.Sequence(text))
	}
	ours := written(t, w, tok, prompts)
	for _, o := range []struct {
		PublishOptions
		bound float64 // of log-probabilities, some three times what was measured; see TestLlamaServerNumberFormats
	}{
		{PublishOptions{Format: formatHF, DType: "f32"}, 0}, {PublishOptions{Format: formatGGUF, DType: "f32"}, 1e-3},
		{PublishOptions{Format: formatGGUF, DType: "f16"}, 0.02}, {PublishOptions{Format: formatGGUF, DType: "q8_0"}, 0.6},
	} {
		name := o.Format + ", " + o.DType
		to := filepath.Join(t.TempDir(), "model")
		if _, err := Publish(file, to, o.PublishOptions); err != nil {
			t.Fatal(err)
		}
		back, err := readModel(to)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(tok.Vocabulary(), back.tokenizer.Vocabulary()); d != "" || back.weights.Config != w.Config {
			t.Errorf("%s: %v is read, not %v; tokenizer (-original +read):\n%s", name, back.weights.Config, w.Config, d)
		}
		if o.DType == "f32" && !slices.Equal(back.weights.Flat, w.Flat) {
			t.Errorf("%s: other parameters are read", name)
		}
		if o.Format == formatHF {
			continue
		}
		if o.DType != "f32" {
			ours = written(t, back.weights, tok, prompts)
		}
		along(t, name, serve(t, to), prompts, ours, o.bound)
		os.Remove(to)
	}
	s := serve(t, file)
	for i, text := range texts {
		if got := s.tokens(t, text, true); !slices.Equal(got, prompts[i]) {
			t.Errorf("%q is %d here, and %d in llama.cpp", text, prompts[i], got)
		}
	}
	for _, text := range mixed(t) {
		if strings.ContainsFunc(text, newer) {
			continue
		}
		if d := cmp.Diff(tok.Encode(text), s.tokens(t, text, false)); d != "" {
			t.Errorf("%q (-here +llama.cpp):\n%s", text, d)
		}
	}
}

// along continues our texts token by token in llama.cpp, and compares the probabilities of each: within the bound, and the same
// token the likeliest in nine of ten cases.
func along(t *testing.T, name string, s *server, prompts [][]int32, ours []infer.Result, bound float64) {
	t.Helper()
	var all []float64
	same := 0
	for i, r := range ours {
		prompt := slices.Clone(prompts[i])
		for k, id := range r.Tokens {
			p := s.greedy(t, prompt, 1, 20).Probs[0]
			if p.ID == id {
				same++
			}
			at := slices.IndexFunc(p.Top, func(p probability) bool { return p.ID == id })
			if at < 0 {
				t.Fatalf("%s: prompt %d, token %d: %d is not among llama.cpp's 20 likeliest", name, i, k, id)
			}
			all = append(all, math.Abs(p.Top[at].Logprob-float64(r.Logprobs[k])))
			prompt = append(prompt, id)
		}
	}
	slices.Sort(all)
	worst := all[len(all)-1]
	t.Logf("%s: log-probabilities differ by %.2g in the median, at most %.2g; %d of %d tokens are the likeliest in both", name, all[len(all)/2], worst, same, len(all))
	if !(worst < bound) || same < len(all)*9/10 {
		t.Errorf("%s: they differ by up to %g, at most %g; %d of %d tokens are the likeliest in both", name, worst, bound, same, len(all))
	}
}
