package llama

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"jupiter/plugins/builtin/llama/bpe"
	"jupiter/plugins/builtin/llama/gguf"
	"jupiter/plugins/builtin/llama/hf/hftest"
	"jupiter/plugins/builtin/llama/infer"
	"jupiter/plugins/builtin/llama/model"
	pluginv1 "jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk/sdktest"
)

// A server is a llama-server that runs one of our files.
type server struct{ url string }

// llamaServer finds llama.cpp's server: what LLAMA_SERVER names, or else what is on the PATH. Only where there is none are
// the tests that need it skipped.
func llamaServer(t *testing.T) string {
	t.Helper()
	binary := os.Getenv("LLAMA_SERVER")
	if binary == "" {
		var err error
		if binary, err = exec.LookPath("llama-server"); err != nil {
			t.Skip("there is no llama-server to compare with: set LLAMA_SERVER to llama.cpp's; .ci/llama.cpp fetches one")
		}
	}
	return binary
}

// serve starts llama-server. Keys and values are kept in float32: in its default, float16, log-probabilities differ in the
// second decimal.
func serve(t *testing.T, file string) *server {
	t.Helper()
	binary := llamaServer(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().(*net.TCPAddr)
	l.Close()
	var log bytes.Buffer
	cmd := exec.Command(binary, "-m", file, "--host", "127.0.0.1", "--port", fmt.Sprint(addr.Port),
		"-c", "96", "-np", "1", "-t", "1", "-ctk", "f32", "-ctv", "f32", "-fa", "off", "--no-warmup")
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-ended
	})
	s := &server{url: "http://" + addr.String()}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if s.runs(file) {
			return s
		}
		select {
		case <-tick.C:
		case err := <-ended:
			ended <- err
			t.Fatalf("llama-server ended: %v\n%s", err, log.String())
		case <-ctx.Done():
			t.Fatal("llama-server did not become ready")
		}
	}
}

// runs says whether the server answers with this file: another test's may have got the port in between.
func (s *server) runs(file string) bool {
	r, err := http.Get(s.url + "/props")
	if err != nil {
		return false
	}
	defer r.Body.Close()
	var props struct {
		Model string `json:"model_path"`
	}
	return r.StatusCode == http.StatusOK && json.NewDecoder(r.Body).Decode(&props) == nil && props.Model == file
}

func (s *server) ask(t *testing.T, path string, question, answer any) {
	t.Helper()
	b, err := json.Marshal(question)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.Post(s.url+path, "application/json", bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", path, r.Status)
	}
	if err := json.NewDecoder(r.Body).Decode(answer); err != nil {
		t.Fatal(err)
	}
}

// A probability is that of one token, as a natural logarithm.
type probability struct {
	ID      int32   `json:"id"`
	Logprob float64 `json:"logprob"`
}

type served struct {
	Tokens []int32 `json:"tokens"`
	Probs  []struct {
		probability
		Top []probability `json:"top_logprobs"`
	} `json:"completion_probabilities"`
}

// greedy continues a prompt with n tokens, and gives so many probabilities at each. Each is the model's own: without
// penalties and filters.
func (s *server) greedy(t *testing.T, prompt []int32, n, probs int) (out served) {
	t.Helper()
	s.ask(t, "/completion", map[string]any{
		"prompt": prompt, "n_predict": n, "temperature": 0, "n_probs": probs, "return_tokens": true, "cache_prompt": false, "repeat_penalty": 1,
	}, &out)
	return out
}

func (s *server) tokens(t *testing.T, text string, special bool) []int32 {
	t.Helper()
	var out struct {
		Tokens []int32 `json:"tokens"`
	}
	s.ask(t, "/tokenize", map[string]any{"content": text, "add_special": special, "parse_special": special}, &out)
	return out.Tokens
}

// lively is a random model whose attention matters, else an error in it would go unseen, and that writes on and on: tokens
// that end a text are never the likeliest, nor are those that are no whole characters, of which llama-server gives no
// probability.
func lively(t *testing.T, seed uint64, c model.Config) (*model.Weights, *bpe.Tokenizer) {
	t.Helper()
	_, tok := random(seed)
	c.Vocab, c.Context = tok.Size(), 96
	w := model.New(c)
	w.Init(seed)
	output := w.Embed
	if w.Output != nil {
		output = w.Output
	}
	for i := range output {
		output[i] *= 6
	}
	for _, l := range w.Layers {
		for i := range l.QKV {
			l.QKV[i] *= 2
		}
		for i := range l.O {
			l.O[i] *= 6
		}
	}
	for id := range int32(tok.Size()) {
		if tok.Special(id) && id != tok.BOS() || !utf8.ValidString(tok.Bytes(id)) {
			clear(output[int(id)*c.Dim:][:c.Dim])
		}
	}
	return w, tok
}

// kinds are the shapes that the comparisons go through.
var kinds = map[string]model.Config{
	"tied, grouped queries":   {Dim: 32, Layers: 2, Heads: 4, KVHeads: 2, HeadDim: 8, FFN: 64, RopeTheta: 10000, NormEps: 1e-5, Tied: true},
	"untied, grouped queries": {Dim: 32, Layers: 3, Heads: 4, KVHeads: 2, HeadDim: 10, FFN: 40, RopeTheta: 500000, NormEps: 1e-6},
	"scaled positions": {Dim: 32, Layers: 2, Heads: 2, KVHeads: 1, HeadDim: 16, FFN: 64, RopeTheta: 1000, NormEps: 1e-5, Tied: true,
		RopeScaling: model.RopeScaling{Type: model.RopeLlama3, Factor: 8, Low: 1, High: 4, Original: 40}},
	"stretched positions": {Dim: 32, Layers: 2, Heads: 2, KVHeads: 1, HeadDim: 16, FFN: 64, RopeTheta: 10000, NormEps: 1e-5, Tied: true,
		RopeScaling: model.RopeScaling{Type: model.RopeLinear, Factor: 2.5}},
	"untied": {Dim: 48, Layers: 2, Heads: 3, KVHeads: 3, HeadDim: 16, FFN: 96, RopeTheta: 10000, NormEps: 1e-5},
}

const length = 24 // tokens that are compared of each text

// starts are what is continued.
func starts(tok *bpe.Tokenizer) [][]int32 {
	return [][]int32{tok.Sequence(""), tok.Sequence("7ft5in en in:"), tok.Sequence("the question and the answer, 12345 €½")}
}

// written continues the prompts with 24 tokens of this engine.
func written(t *testing.T, w *model.Weights, tok *bpe.Tokenizer, prompts [][]int32) []infer.Result {
	t.Helper()
	out := continued(t, w, tok, prompts)
	for i, r := range out {
		if len(r.Tokens) != length {
			t.Errorf("prompt %d ends after %d tokens: it is to show %d", i, len(r.Tokens), length)
		}
	}
	return out
}

// continued continues the prompts greedily with this engine, to their end or by 24 tokens.
func continued(t *testing.T, w *model.Weights, tok *bpe.Tokenizer, prompts [][]int32) []infer.Result {
	t.Helper()
	m, err := infer.New(w, tok)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]infer.Result, len(prompts))
	err = m.Generate(t.Context(), len(prompts), func(i int) infer.Request { return infer.Request{Prompt: prompts[i]} },
		infer.Sampling{MaxTokens: length}, infer.Options{Threads: 1, Batch: 4}, func(r infer.Result) error {
			out[r.Index] = r
			return nil
		})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// agree compares 24 greedy tokens of each prompt, and their probabilities, with those of llama.cpp on the same file.
func agree(t *testing.T, file string, w *model.Weights, tok *bpe.Tokenizer) {
	t.Helper()
	prompts, s := starts(tok), serve(t, file)
	var worst float64
	for i, r := range written(t, w, tok, prompts) {
		got := s.greedy(t, prompts[i], length, 1)
		if !slices.Equal(r.Tokens, got.Tokens) {
			t.Errorf("prompt %d: %d here, %d in llama.cpp", i, r.Tokens, got.Tokens)
			continue
		}
		if len(got.Probs) != length {
			t.Errorf("prompt %d: llama.cpp gives %d probabilities", i, len(got.Probs))
			continue
		}
		for k, p := range got.Probs {
			worst = max(worst, math.Abs(p.Logprob-float64(r.Logprobs[k])))
		}
	}
	if !(worst < 1e-4) {
		t.Errorf("log-probabilities differ by up to %g", worst)
	}
	t.Logf("log-probabilities differ by at most %.2g", worst)
}

// llama.cpp reads our file, and continues texts with the same tokens at the same probabilities.
func TestLlamaServerWritesTheSame(t *testing.T) {
	t.Parallel()
	llamaServer(t)
	for name, c := range kinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, tok := lively(t, 6, c)
			file := filepath.Join(t.TempDir(), "model.gguf")
			if err := gguf.Write(file, w, tok, "test"); err != nil {
				t.Fatal(err)
			}
			agree(t, file, w, tok)
			if c.RopeScaling.Type == "" {
				return
			}
			plain := w.Clone()
			plain.Config.RopeScaling = model.RopeScaling{}
			prompt := starts(tok)[2:]
			if slices.Equal(written(t, w, tok, prompt)[0].Tokens, written(t, plain, tok, prompt)[0].Tokens) {
				t.Error("positions that are not scaled give the same tokens: the comparison proves nothing")
			}
		})
	}
}

// The control: the rows of q and k as they lie in memory give other tokens, in every shape.
func TestLlamaServerSeesUnorderedRows(t *testing.T) {
	t.Parallel()
	llamaServer(t)
	for name, c := range kinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, tok := lively(t, 6, c)
			plain := w.Clone()
			for li, l := range plain.Layers {
				unordered(l.QKV[:w.AttnDim()*w.Dim], w.Layers[li].QKV, w.HeadDim, w.Dim)
				unordered(l.QKV[w.AttnDim()*w.Dim:][:w.KVDim()*w.Dim], w.Layers[li].QKV[w.AttnDim()*w.Dim:], w.HeadDim, w.Dim)
			}
			file := filepath.Join(t.TempDir(), "plain.gguf")
			if err := gguf.Write(file, plain, tok, "control"); err != nil {
				t.Fatal(err)
			}
			prompt := starts(tok)[2]
			if got := serve(t, file).greedy(t, prompt, length, 1).Tokens; slices.Equal(got, written(t, w, tok, [][]int32{prompt})[0].Tokens) {
				t.Error("without reordering q and k llama.cpp gives the same tokens: the comparison proves nothing")
			}
		})
	}
}

// unordered fills to so that the writer's reordering gives the rows of from as they are.
func unordered(to, from []float32, headDim, cols int) {
	half := headDim / 2
	for row := range len(to) / cols {
		head, e := row/headDim, row%headDim
		src := head*headDim + e%2*half + e/2
		copy(to[src*cols:][:cols], from[row*cols:][:cols])
	}
}

// The same text is the same tokens there, 10,000 lines of mixed text and a few more, and so is a chat.
func TestLlamaServerCutsTheSame(t *testing.T) {
	t.Parallel()
	llamaServer(t)
	w, tok := random(6)
	fixed, err := bpe.Fixed([]string{" the", "the", " of", " Größe", "größe", "==", "123", "日本語", "'s", "\n\n", "in", "ft"})
	if err != nil {
		t.Fatal(err)
	}
	c := w.Config
	c.Vocab = fixed.Size()
	few := serveWritten(t, model.New(c), fixed)
	for _, text := range mixed(t) {
		if strings.ContainsFunc(text, newer) {
			continue
		}
		if d := cmp.Diff(fixed.Encode(text), few.tokens(t, text, false)); d != "" {
			t.Errorf("a fixed vocabulary, %q (-here +llama.cpp):\n%s", text, d)
		}
	}
	smollm := smollm(t)
	c.Vocab = smollm.Size()
	digits := serveWritten(t, model.New(c), smollm)
	if smollm.Missing() == 0 {
		t.Error("no byte is without a token: the comparison does not show what becomes of such")
	}
	for _, text := range mixed(t) {
		if strings.ContainsFunc(text, newer) {
			continue
		}
		if d := cmp.Diff(smollm.Encode(text), digits.tokens(t, text, false)); d != "" {
			t.Errorf("SmolLM's form, %q (-here +llama.cpp):\n%s", text, d)
		}
	}
	if d := cmp.Diff(smollm.Sequence("the 12 and"), digits.tokens(t, "the 12 and", true)); d != "" {
		t.Errorf("SmolLM's form, what a text begins with (-here +llama.cpp):\n%s", d)
	}
	s := serveWritten(t, w, tok)
	for _, text := range append(mixed(t), "7ft5in en in:7*12=84", "the answer's  question\n\n\tand 12345 €½ — 語, I'LL", " x", "\u00a0<|im_end|>") {
		if d := cmp.Diff(tok.Encode(text), s.tokens(t, text, false)); d != "" {
			t.Errorf("%q (-here +llama.cpp):\n%s", text, d)
		}
	}
	messages := []bpe.Message{{Role: "system", Content: "be brief"}, {Role: "user", Content: "the question?"}, {Role: "assistant", Content: "89in"}, {Role: "user", Content: "and"}}
	var asked []map[string]string
	for _, m := range messages {
		asked = append(asked, map[string]string{"role": m.Role, "content": m.Content})
	}
	var chat struct {
		Prompt string `json:"prompt"`
	}
	s.ask(t, "/apply-template", map[string]any{"messages": asked}, &chat)
	want, _ := tok.Chat(messages, true)
	if d := cmp.Diff(want, s.tokens(t, chat.Prompt, true)); d != "" {
		t.Errorf("a chat, %q (-here +llama.cpp):\n%s", chat.Prompt, d)
	}
}

// newer says of a character that it is newer than Unicode 15: llama.cpp does not know of those that they are letters or digits, as
// Hugging Face does.
func newer(r rune) bool {
	return !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Z, unicode.Cc, unicode.Cf, unicode.Co)
}

// smollm is a tokenizer of SmolLM's form, which Hugging Face's trainer learnt.
func smollm(t *testing.T) *bpe.Tokenizer {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("bpe", "testdata", "smollm.json"))
	if err != nil {
		t.Fatal(err)
	}
	tok, err := bpe.FromJSONAs(data, bpe.Names{BOS: "<|im_start|>", EOS: "<|im_end|>", Pad: "<|im_end|>"})
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// serveWritten starts llama-server with a model.
func serveWritten(t *testing.T, w *model.Weights, tok *bpe.Tokenizer) *server {
	t.Helper()
	file := filepath.Join(t.TempDir(), "model.gguf")
	if err := gguf.Write(file, w, tok, "test"); err != nil {
		t.Fatal(err)
	}
	return serve(t, file)
}

// mixed are the lines that the tokenizer is compared with Hugging Face's on.
func mixed(t *testing.T) (all []string) {
	t.Helper()
	f, err := os.Open(filepath.Join("bpe", "testdata", "lines.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(z).Decode(&all); err != nil {
		t.Fatal(err)
	}
	return all
}

// In the other number formats the parameters are the same there and here, and the arithmetic is not: llama.cpp rounds the
// activations to the format of the matrix that they meet, and this engine computes in float32 throughout. So the bound is
// wider, some three times what was measured, and the texts are continued token by token along ours. The second shape has
// rows that are no whole blocks of Q8_0.
func TestLlamaServerNumberFormats(t *testing.T) {
	t.Parallel()
	llamaServer(t)
	for _, c := range []struct {
		typ   gguf.Type
		kind  string
		bound float64
	}{
		{gguf.F16, "tied, grouped queries", 0.01}, {gguf.BF16, "tied, grouped queries", 0.1}, {gguf.Q8, "tied, grouped queries", 0.15},
		{gguf.Q8, "untied, grouped queries", 0.15},
	} {
		t.Run(c.typ.String()+", "+c.kind, func(t *testing.T) {
			t.Parallel()
			w, tok := lively(t, 6, kinds[c.kind])
			file := filepath.Join(t.TempDir(), "model.gguf")
			if err := gguf.WriteFile(file, w, tok, gguf.Options{Name: "test", Type: c.typ}); err != nil {
				t.Fatal(err)
			}
			back, _, err := gguf.Read(file)
			if err != nil {
				t.Fatal(err)
			}
			s := serve(t, file)
			along(t, c.typ.String(), s, starts(tok), written(t, back, tok, starts(tok)), c.bound)
		})
	}
}

// A model of Hugging Face's that was imported here, as generator and as a student's start, and the student exported, are the
// model that llama.cpp runs.
func TestLlamaServerRunsImported(t *testing.T) {
	t.Parallel()
	llamaServer(t)
	conn := sdktest.Open(t, Plugin("1.0.0"))
	w, tok := lively(t, 8, kinds["untied, grouped queries"])
	dir := filepath.Join(t.TempDir(), "model")
	hftest.Write(t, dir, w, tok, "BF16", 2) // w is what the files hold from here on
	_, file, _, err := imported(t, conn, pluginv1.Kind_KIND_GENERATOR, nil, dir)
	if err != nil {
		t.Fatal(err)
	}
	agree(t, file, w, tok)

	block := map[string]any{"layers": 3, "dim": 32, "heads": 4, "kv_heads": 2, "ffn": 40, "max_seq_length": 96}
	_, start, _, err := imported(t, conn, pluginv1.Kind_KIND_TRAINER, block, file)
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"gguf", "huggingface"} {
		model := exported(t, conn, map[string]any{"format": format}, start)
		if format == "huggingface" {
			if _, model, _, err = imported(t, conn, pluginv1.Kind_KIND_GENERATOR, nil, model); err != nil {
				t.Fatal(err)
			}
		}
		agree(t, model, w, tok)
	}
}

// llama.cpp's own quantiser makes the same numbers of the same model as this writer, and what it writes is read.
func TestLlamaQuantize(t *testing.T) {
	t.Parallel()
	program := filepath.Join(filepath.Dir(llamaServer(t)), "llama-quantize")
	if _, err := os.Stat(program); err != nil {
		t.Skipf("there is no llama-quantize beside llama-server to compare with: %v", err)
	}
	w, tok := lively(t, 6, kinds["untied, grouped queries"])
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain.gguf")
	if err := gguf.Write(plain, w, tok, "test"); err != nil {
		t.Fatal(err)
	}
	for name, typ := range map[string]gguf.Type{"F16": gguf.F16, "BF16": gguf.BF16, "Q8_0": gguf.Q8} {
		theirs, ours := filepath.Join(dir, name+".theirs"), filepath.Join(dir, name+".ours")
		if out, err := exec.Command(program, plain, theirs, name, "1").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if err := gguf.WriteFile(ours, w, tok, gguf.Options{Name: "test", Type: typ}); err != nil {
			t.Fatal(err)
		}
		a, theirTok, err := gguf.Read(theirs)
		if err != nil {
			t.Fatal(err)
		}
		b, _, err := gguf.Read(ours)
		if err != nil {
			t.Fatal(err)
		}
		if a.Config != b.Config || !slices.Equal(a.Flat, b.Flat) {
			t.Errorf("%s: llama-quantize makes another model", name)
		}
		if d := cmp.Diff(tok.Vocabulary(), theirTok.Vocabulary()); d != "" {
			t.Errorf("%s: tokenizer (-here +llama-quantize):\n%s", name, d)
		}
	}
}

// The quantised formats that are read are the numbers that llama.cpp itself takes them for: its quantiser turns what it has
// written back into F32. The files are mixed ones, as people meet them.
func TestLlamaQuantizeIsRead(t *testing.T) {
	t.Parallel()
	program := filepath.Join(filepath.Dir(llamaServer(t)), "llama-quantize")
	if _, err := os.Stat(program); err != nil {
		t.Skipf("there is no llama-quantize beside llama-server to compare with: %v", err)
	}
	c := model.Config{Dim: 256, Layers: 2, Heads: 4, KVHeads: 2, HeadDim: 64, FFN: 512, RopeTheta: 10000, NormEps: 1e-5}
	w, tok := lively(t, 6, c)
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain.gguf")
	if err := gguf.Write(plain, w, tok, "test"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K_S", "Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0"} {
		theirs, back := filepath.Join(dir, name), filepath.Join(dir, name+".back")
		for _, args := range [][]string{{plain, theirs, name, "1"}, {"--allow-requantize", theirs, back, "F32", "1"}} {
			if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
		}
		got, _, err := gguf.Read(theirs)
		if err != nil {
			t.Fatal(err)
		}
		want, _, err := gguf.Read(back)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Flat, want.Flat) {
			t.Errorf("%s: llama.cpp takes the parameters for others", name)
		}
		var off, size float64
		for i, v := range w.Flat {
			off += math.Pow(float64(got.Flat[i]-v), 2)
			size += float64(v) * float64(v)
		}
		if off = math.Sqrt(off / size); off == 0 || off > 0.12 {
			t.Errorf("%s: the parameters are off by %.3g of their size", name, off)
		}
	}
}
