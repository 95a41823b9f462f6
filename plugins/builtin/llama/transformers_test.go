package llama

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jupiter/plugins/builtin/llama/bpe"
	"jupiter/plugins/builtin/llama/hf"
	"jupiter/plugins/builtin/llama/model"
	"jupiter/plugins/builtin/llama/safetensors"
	"jupiter/plugins/builtin/llama/train"
)

// The directories that this program writes are, to Hugging Face's transformers, the model that they are here: the same
// tokens of texts and of a chat, the same 24 greedy tokens at the same log-probabilities, in every shape and number format,
// checkpoints too. And what it writes of that model is read here as the same. TRANSFORMERS_PYTHON names a Python that has transformers and torch.
func TestTransformersReadsOurs(t *testing.T) {
	t.Parallel()
	python := os.Getenv("TRANSFORMERS_PYTHON")
	if python == "" {
		t.Skip("set TRANSFORMERS_PYTHON to a Python that has transformers and torch to compare with them")
	}
	type example struct {
		name    string
		dir     string
		weights *model.Weights
		tok     *bpe.Tokenizer
	}
	var examples []example
	var tok *bpe.Tokenizer
	for name, c := range kinds {
		for _, as := range []safetensors.DType{safetensors.F32, safetensors.F16, safetensors.BF16} {
			var w *model.Weights
			w, tok = lively(t, 6, c)
			dir := t.TempDir()
			if err := hf.Write(dir, w, tok, hf.Options{DType: as}); err != nil {
				t.Fatal(err)
			}
			m, err := hf.Read(dir)
			if err != nil {
				t.Fatal(err)
			}
			examples = append(examples, example{name + ", " + string(as), dir, m.Weights, tok})
		}
		w, tok := lively(t, 6, c)
		dir, n := filepath.Join(t.TempDir(), "checkpoint"), len(w.Flat)
		err := train.WriteCheckpoint(dir, train.Checkpoint{Weights: w, Tokenizer: tok, Moments: train.Moments{M: make([]float32, n), V: make([]float32, n)}})
		if err != nil {
			t.Fatal(err)
		}
		examples = append(examples, example{name + ", a checkpoint", dir, w, tok})
	}
	// Two that come to an end, by either token that ends a text: it is likelier than what would have come tenth.
	texts := []string{"", "7ft5in en in:"}
	for _, end := range []int32{tok.EOS(), tok.EndTurn()} {
		w, _ := lively(t, 6, kinds["tied, grouped queries"])
		id := written(t, w, tok, [][]int32{tok.Sequence(texts[1])})[0].Tokens[9]
		for i, v := range w.Embed[int(id)*w.Dim:][:w.Dim] {
			w.Embed[int(end)*w.Dim+i] = 2 * v
		}
		dir := t.TempDir()
		if err := hf.Write(dir, w, tok, hf.Options{}); err != nil {
			t.Fatal(err)
		}
		examples = append(examples, example{"one that ends with " + tok.Bytes(end), dir, w, tok})
	}
	// One with a tokenizer of SmolLM's form: nothing stands before a text.
	form := smollm(t)
	c := kinds["scaled positions"]
	c.Vocab, c.Context = form.Size(), 96
	w := model.New(c)
	w.Init(5)
	for i := range w.Embed {
		w.Embed[i] *= 6
	}
	dir := t.TempDir()
	if err := hf.Write(dir, w, form, hf.Options{}); err != nil {
		t.Fatal(err)
	}
	examples = append(examples, example{"SmolLM's form", dir, w, form})

	messages := []bpe.Message{{Role: "system", Content: "be brief"}, {Role: "user", Content: "the question?"}}
	var asked []map[string]string
	for _, m := range messages {
		asked = append(asked, map[string]string{"role": m.Role, "content": m.Content})
	}
	var questions bytes.Buffer
	for _, e := range examples {
		if err := json.NewEncoder(&questions).Encode(map[string]any{"dir": e.dir, "texts": texts, "chat": asked, "new": length, "save": e.dir + ".saved"}); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(python, "testdata/read_with_transformers.py")
	cmd.Env = append(os.Environ(), "HF_HUB_OFFLINE=1")
	cmd.Stdin = &questions
	var said bytes.Buffer
	cmd.Stderr = &said
	answers, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	d := json.NewDecoder(bytes.NewReader(answers))
	stopped := 0
	var worst float64
	for _, e := range examples {
		tok := e.tok
		var got struct {
			Version  string
			IDs      [][]int32
			Tokens   [][]int32
			Logprobs [][]float64
			Greedy   [][]int32
			Chat     []int32
		}
		if err := d.Decode(&got); err != nil {
			t.Fatal(err)
		}
		back, err := hf.Read(e.dir + ".saved")
		if err != nil {
			t.Errorf("%s: what transformers writes: %v", e.name, err)
			continue
		}
		if back.Weights.Config != e.weights.Config || !slices.Equal(back.Weights.Flat, e.weights.Flat) {
			t.Errorf("%s: transformers writes another model, %v", e.name, back.Weights.Config)
		}
		if d := cmp.Diff(tok.Vocabulary(), back.Tokenizer.Vocabulary()); d != "" {
			t.Errorf("%s: transformers writes another tokenizer (-here +there):\n%s", e.name, d)
		}
		if shards, _ := filepath.Glob(filepath.Join(e.dir+".saved", "model-*.safetensors")); len(shards) < 2 {
			t.Errorf("%s: transformers writes %d files of parameters: several are to be read", e.name, len(shards))
		}
		want, _ := tok.Chat(messages, true)
		if d := cmp.Diff(want, got.Chat); d != "" {
			t.Errorf("%s: a chat (-here +transformers):\n%s", e.name, d)
		}
		var prompts [][]int32
		for i, text := range texts {
			if d := cmp.Diff(append([]int32{}, tok.Encode(text)...), got.IDs[i]); d != "" {
				t.Errorf("%s: %q (-here +transformers):\n%s", e.name, text, d)
			}
			prompts = append(prompts, tok.Sequence(text))
		}
		for i, r := range continued(t, e.weights, tok, prompts) {
			n := len(r.Tokens)
			if n < length {
				stopped++
			}
			if !slices.Equal(r.Tokens, got.Tokens[i][:n]) || !slices.Equal(r.Tokens, got.Greedy[i]) {
				t.Errorf("%s: text %d: %d here, %d in transformers and %d in its own loop", e.name, i, r.Tokens, got.Tokens[i], got.Greedy[i])
				continue
			}
			for k, p := range r.Logprobs {
				worst = max(worst, math.Abs(float64(p)-got.Logprobs[i][k]))
			}
		}
		if e.name == examples[0].name {
			t.Logf("transformers %s", got.Version)
		}
	}
	if !(worst < 1e-4) {
		t.Errorf("log-probabilities differ by up to %g", worst)
	}
	if stopped < 2 {
		t.Errorf("%d texts came to an end: the comparison does not show how one does", stopped)
	}
	t.Logf("%d models; log-probabilities differ by at most %.2g; %d texts came to an end", len(examples), worst, stopped)
}
