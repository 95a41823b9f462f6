package llama

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jupiter/plugins/builtin/llama/bpe"
	"jupiter/plugins/builtin/llama/gguf"
	"jupiter/plugins/builtin/llama/hf/hftest"
	"jupiter/plugins/builtin/llama/infer"
	"jupiter/plugins/builtin/llama/model"
	"jupiter/plugins/builtin/llama/train"
	pluginv1 "jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
	"jupiter/plugins/sdk/sdktest"
)

// elsewhere is a model that no trainer of ours would make: an output matrix of its own, heads of a width of their own,
// another theta, scaled positions, special tokens of other names, and a chat template of its own.
func elsewhere(t *testing.T) (*model.Weights, *bpe.Tokenizer) {
	t.Helper()
	texts := []string{"7 plus 12: 19", "the question and the answer", "the answer and the question", "5 plus 3: 8"}
	v := bpe.Train(slices.Values(texts), bpe.Options{VocabSize: 280}).Vocabulary()
	v.Tokens[v.EOS], v.Pad, v.ChatTemplate = "<|end_of_text|>", bpe.None, "{% for m in messages %}<|im_start|>{{ m['content'] }}\t\"<&>é\n{% endfor %}"
	tok, err := bpe.New(v)
	if err != nil {
		t.Fatal(err)
	}
	w := model.New(model.Config{Vocab: tok.Size(), Dim: 16, Layers: 1, Heads: 2, KVHeads: 1, HeadDim: 10, FFN: 40, Context: 96, RopeTheta: 500000, NormEps: 1e-6,
		RopeScaling: model.RopeScaling{Type: model.RopeLlama3, Factor: 8, Low: 1, High: 4, Original: 40}})
	w.Init(9)
	for i := range w.Output {
		w.Output[i] *= 30
	}
	return w, tok
}

// imported calls Import of either kind, and gives the output's path.
func imported(t *testing.T, conn *sdktest.Conn, kind pluginv1.Kind, config any, path string) (*sdk.Output, string, []*sdk.Diagnostic, error) {
	t.Helper()
	req := &pluginv1.ImportRequest{Call: conn.Call(t, kind, "llama", config), Path: path}
	var s sdktest.Stream[pluginv1.ImportEvent]
	var err error
	if kind == pluginv1.Kind_KIND_TRAINER {
		s, err = conn.Trainer.Import(t.Context(), req)
	} else {
		s, err = conn.Generator.Import(t.Context(), req)
	}
	if err != nil {
		t.Fatal(err)
	}
	events, err := sdktest.All(s)
	var out *sdk.Output
	var said []*sdk.Diagnostic
	for _, e := range events {
		if o := e.GetOutput(); o != nil {
			out = o
		}
		if d := e.GetDiagnostic(); d != nil {
			said = append(said, d)
		}
	}
	return out, filepath.Join(req.Call.WorkDir, out.GetPath()), said, err
}

// An imported model says what the original's own numbers say, token for token and with the same probabilities, whichever
// way it came.
func TestImportedGeneratorIsTheOriginal(t *testing.T) {
	t.Parallel()
	conn := sdktest.Open(t, Plugin("1.0.0"))
	for name, write := range map[string]func(path string, w *model.Weights, tok *bpe.Tokenizer) error{
		"F32": func(path string, w *model.Weights, tok *bpe.Tokenizer) error {
			hftest.Write(t, path, w, tok, "F32", 1)
			return nil
		},
		"BF16": func(path string, w *model.Weights, tok *bpe.Tokenizer) error {
			hftest.Write(t, path, w, tok, "BF16", 2)
			return nil
		},
		"GGUF": func(path string, w *model.Weights, tok *bpe.Tokenizer) error { return gguf.Write(path, w, tok, "x") },
		"directory": func(path string, w *model.Weights, tok *bpe.Tokenizer) error {
			if err := os.Mkdir(path, 0o755); err != nil {
				return err
			}
			return gguf.Write(filepath.Join(path, "any.gguf"), w, tok, "x")
		},
	} {
		w, tok := elsewhere(t)
		path := filepath.Join(t.TempDir(), "model")
		if err := write(path, w, tok); err != nil {
			t.Fatal(err)
		}
		original, err := infer.New(w, tok) // w as the files hold it
		if err != nil {
			t.Fatal(err)
		}
		prompts := []string{"7 plus 12:", "the answer", ""}
		want := make([]infer.Result, len(prompts))
		err = original.Generate(t.Context(), len(prompts), func(i int) infer.Request { return infer.Request{Prompt: tok.Sequence(prompts[i])} },
			infer.Sampling{TopP: 1, RepetitionPenalty: 1, MaxTokens: 24}, infer.Options{Threads: 1, Batch: 4}, func(r infer.Result) error {
				want[r.Index] = r
				return nil
			})
		if err != nil {
			t.Fatal(err)
		}
		out, at, said, err := imported(t, conn, pluginv1.Kind_KIND_GENERATOR, nil, path)
		if err != nil || len(said) > 0 {
			t.Fatalf("%s: %v, %v", name, err, said)
		}
		if out.MediaType != sdk.GGUFMediaType || out.Meta["parameters"] == "" || out.Meta["format"] == "" {
			t.Errorf("%s: output %v", name, out)
		}
		s, err := conn.Generator.Complete(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		req := &pluginv1.CompleteRequest{Call: conn.Call(t, pluginv1.Kind_KIND_GENERATOR, "llama", map[string]any{"max_tokens": 24}),
			Model: &sdk.Artifact{Path: at}, Sampling: &sdk.Sampling{MaxTokens: 24}}
		for _, p := range prompts {
			req.Prompts = append(req.Prompts, &sdk.Prompt{Text: p})
		}
		if err := s.Send(req); err != nil {
			t.Fatal(err)
		}
		if err := s.CloseSend(); err != nil {
			t.Fatal(err)
		}
		events, err := sdktest.All(s)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, e := range events {
			c := e.GetCompletion()
			if c == nil {
				continue
			}
			ids := make([]int32, len(c.Tokens))
			for i, id := range c.Tokens {
				ids[i] = int32(id)
			}
			if !slices.Equal(ids, want[n].Tokens) || !slices.Equal(c.Logprobs, want[n].Logprobs) || len(ids) == 0 {
				t.Errorf("%s: prompt %d gives %v, the original %v", name, n, ids, want[n].Tokens)
			}
			n++
		}
		if n != len(prompts) {
			t.Errorf("%s: %d completions", name, n)
		}
	}
}

// shape is what a trainer's block says of elsewhere's model.
func shape(more map[string]any) map[string]any {
	c := map[string]any{"layers": 1, "dim": 16, "heads": 2, "kv_heads": 1, "ffn": 40, "batch_size": 4, "learning_rate": 0.01, "warmup_steps": 0, "weight_decay": 0, "threads": 1}
	for k, v := range more {
		c[k] = v
	}
	return c
}

// A student starts from the imported numbers and keeps their tokenizer and shape, through training and export.
func TestImportedStartIsTrainedOn(t *testing.T) {
	t.Parallel()
	conn, data := sdktest.Open(t, Plugin("1.0.0")), sums(t, 100)
	w, tok := elsewhere(t)
	path := filepath.Join(t.TempDir(), "model")
	hftest.Write(t, path, w, tok, "F16", 1)
	_, at, said, err := imported(t, conn, pluginv1.Kind_KIND_TRAINER, shape(nil), path)
	if err != nil {
		t.Fatal(err)
	}
	if len(said) != 1 || !strings.Contains(said[0].Detail, "sequences of at most 96 tokens, and max_seq_length is 256") {
		t.Errorf("diagnostics %v", said)
	}
	start, err := train.ReadCheckpoint(at)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(start.Weights.Flat, w.Flat) || !start.Info.Imported || start.Info.Step != 0 || start.Moments.Updates != 0 {
		t.Errorf("the start is another: %+v", start.Info)
	}
	r := trainCall(t, conn, shape(nil), &sdk.TrainRequest{Dataset: data, Real: data, Checkpoint: &sdk.Artifact{Path: at}, ToStep: 10, WindowEnd: 10, SaveEverySteps: 1})
	if r.err != nil {
		t.Fatal(r.err)
	}
	one, err := train.ReadCheckpoint(r.checkpoint(1).Path)
	if err != nil {
		t.Fatal(err)
	}
	var moved float64
	for i, v := range one.Weights.Embed {
		moved = max(moved, math.Abs(float64(v-w.Embed[i])))
	}
	if moved == 0 || moved > 0.0101 { // AdamW's first update is the learning rate; a model of our own has twice that here
		t.Errorf("the embedding has moved by %g in one step at a learning rate of 0.01", moved)
	}
	last, err := train.ReadCheckpoint(r.checkpoint(10).Path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(tok.Vocabulary(), last.Tokenizer.Vocabulary()); d != "" || !last.Info.Imported || last.Info.Updates != 10 {
		t.Errorf("after ten steps %+v, tokenizer (-imported +kept):\n%s", last.Info, d)
	}
	if !last.Weights.Config.SameArchitecture(w.Config) {
		t.Errorf("after ten steps the model is %v, not %v", last.Weights.Config, w.Config)
	}
	call := conn.Call(t, pluginv1.Kind_KIND_EXPORTER, "llama", nil)
	s, err := conn.Exporter.Export(t.Context(), &pluginv1.ExportRequest{Call: call, Checkpoint: r.checkpoint(10)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sdktest.All(s); err != nil {
		t.Fatal(err)
	}
	back, kept, err := gguf.Read(filepath.Join(call.WorkDir, modelFile))
	if err != nil || !slices.Equal(back.Flat, last.Weights.Flat) || kept.Names() != tok.Names() {
		t.Errorf("the export is another model: %v", err)
	}
	if kept.ChatTemplate() != tok.ChatTemplate() || !strings.Contains(kept.ChatTemplate(), `<&>é`) {
		t.Errorf("the export's chat template is %q", kept.ChatTemplate())
	}
}

// A model keeps its chat template from one format to the other and back, byte for byte.
func TestPublishKeepsTheChatTemplate(t *testing.T) {
	t.Parallel()
	w, tok := elsewhere(t)
	at, dir := filepath.Join(t.TempDir(), "model.gguf"), t.TempDir()
	if err := gguf.Write(at, w, tok, "x"); err != nil {
		t.Fatal(err)
	}
	for i, format := range []string{formatHF, formatGGUF, formatHF} {
		to := filepath.Join(dir, fmt.Sprint(i))
		if _, err := Publish(at, to, PublishOptions{Format: format, DType: "f32"}); err != nil {
			t.Fatal(err)
		}
		m, err := readModel(to)
		if err != nil {
			t.Fatal(err)
		}
		if m.tokenizer.ChatTemplate() != tok.ChatTemplate() || m.weights.Config != w.Config {
			t.Errorf("%s: %v with the chat template %q", format, m.weights.Config, m.tokenizer.ChatTemplate())
		}
		at = to
	}
}

// A model with a tokenizer of SmolLM's form is read from either format, goes on from a text as it is, and learns from records that
// begin with no token of their own.
func TestImportedSmolLM(t *testing.T) {
	t.Parallel()
	conn := sdktest.Open(t, Plugin("1.0.0"))
	tok := smollm(t)
	c := kinds["tied, grouped queries"]
	c.Vocab, c.Context = tok.Size(), 96
	w := model.New(c)
	w.Init(4)
	dir := t.TempDir()
	hftest.Write(t, filepath.Join(dir, "hf"), w, tok, "F32", 1)
	if err := gguf.Write(filepath.Join(dir, "model.gguf"), w, tok, "x"); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"hf", "model.gguf"} {
		_, at, said, err := imported(t, conn, pluginv1.Kind_KIND_GENERATOR, nil, filepath.Join(dir, path))
		if err != nil {
			t.Fatal(err)
		}
		if len(said) != 1 || !strings.Contains(said[0].Detail, "no token for 21 of the 256 bytes") {
			t.Errorf("%s: diagnostics %v", path, said)
		}
		back, kept, err := gguf.Read(at)
		if err != nil || !slices.Equal(back.Flat, w.Flat) {
			t.Errorf("%s: another model, %v", path, err)
			continue
		}
		want := tok.Vocabulary()
		if path == "hf" { // hftest names no padding token
			want.Pad = bpe.None
		}
		if d := cmp.Diff(want, kept.Vocabulary()); d != "" {
			t.Errorf("%s: tokenizer (-original +imported):\n%s", path, d)
		}
	}
	for prompt, first := range map[string]int32{"": tok.BOS(), "12 and": tok.Encode("1")[0]} {
		seq, _, err := encode(tok, &sdk.Record{Prompt: prompt, Text: " more"}, 0.5, 20)
		if err != nil || seq.Tokens[0] != first || seq.Weights[0] != 0 || seq.Weights[len(seq.Weights)-1] != 1 {
			t.Errorf("a record with the prompt %q is %v with weights %v, %v", prompt, seq.Tokens, seq.Weights, err)
		}
		if want := append(tok.Sequence(prompt), append(tok.Encode(" more"), tok.EOS())...); !slices.Equal(seq.Tokens, want) {
			t.Errorf("a record with the prompt %q is %v, and a text that is gone on with %v", prompt, seq.Tokens, want)
		}
	}
}

func TestImportRefuses(t *testing.T) {
	t.Parallel()
	conn := sdktest.Open(t, Plugin("1.0.0"))
	w, tok := elsewhere(t)
	dir := t.TempDir()
	put := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := filepath.Join(dir, "good.gguf")
	if err := gguf.Write(good, w, tok, "x"); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	generator, trainer := pluginv1.Kind_KIND_GENERATOR, pluginv1.Kind_KIND_TRAINER
	for _, c := range []struct {
		name   string
		kind   pluginv1.Kind
		config any
		path   string
		want   string
	}{
		{"nothing there", generator, nil, filepath.Join(dir, "none.gguf"), "no such file"},
		{"no model", generator, nil, put("text.gguf", "once upon a time"), "not a GGUF file"},
		{"cut short", generator, nil, put("cut.gguf", string(b[:len(b)-100])), "ends beyond the file"},
		{"another architecture", generator, nil, put("other.gguf", strings.Replace(string(b), "\x05\x00\x00\x00\x00\x00\x00\x00llama", "\x05\x00\x00\x00\x00\x00\x00\x00gemma", 1)), "architecture gemma, not llama"},
		{"parameters alone", generator, nil, put("model.safetensors", ""), "these are parameters alone"},
		{"an empty directory", trainer, shape(nil), filepath.Join(dir, "empty"), "it has no config.json, and so is no model of Hugging Face's"},
		{"another width", trainer, shape(map[string]any{"ffn": 48}), good, "the model has layers = 1, dim = 16, heads = 2, kv_heads = 1, ffn = 40, and the trainer layers = 1, dim = 16, heads = 2, kv_heads = 1, ffn = 48"},
		{"another vocabulary", trainer, shape(map[string]any{"vocab_size": 300}), good, "says vocab_size = 300: take that line out"},
		{"a given tokenizer", trainer, shape(map[string]any{"vocabulary": []string{"in"}}), good, "gives a vocabulary: take that line out"},
		{"another tokenizer", trainer, shape(map[string]any{"spaces_apart": true}), good, "spaces_apart = true: take that line out"},
	} {
		out, _, _, err := imported(t, conn, c.kind, c.config, c.path)
		if err == nil || !strings.Contains(err.Error(), c.want) || out != nil {
			t.Errorf("%s: %v and error %v, want one with %q", c.name, out, err, c.want)
		}
	}
}
