package llama

import (
	"bytes"
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
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jupiter/plugins/builtin/llama/bpe"
	"jupiter/plugins/builtin/llama/gguf"
	"jupiter/plugins/builtin/llama/infer"
)

// A server is a llama-server that runs one of our files.
type server struct{ url string }

// serve starts the llama-server that JUPITER_LLAMA_SERVER names. Keys and values are kept in float32: in its default,
// float16, log-probabilities differ in the second decimal.
func serve(t *testing.T, file string) *server {
	t.Helper()
	binary := os.Getenv("JUPITER_LLAMA_SERVER")
	if binary == "" {
		t.Skip("set JUPITER_LLAMA_SERVER to llama.cpp's llama-server to compare with it")
	}
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
		if r, err := http.Get(s.url + "/health"); err == nil {
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return s
			}
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

type served struct {
	Tokens []int32 `json:"tokens"`
	Probs  []struct {
		ID      int32   `json:"id"`
		Logprob float64 `json:"logprob"`
	} `json:"completion_probabilities"`
}

func (s *server) greedy(t *testing.T, prompt []int32, n int) (out served) {
	t.Helper()
	s.ask(t, "/completion", map[string]any{
		"prompt": prompt, "n_predict": n, "temperature": 0, "n_probs": 1, "return_tokens": true, "cache_prompt": false, "repeat_penalty": 1,
	}, &out)
	return out
}

// TestLlamaServer: llama.cpp reads our file, cuts text into the same tokens, and continues it with the same ones.
func TestLlamaServer(t *testing.T) {
	t.Parallel()
	w, tok := random(6)
	for _, l := range w.Layers { // attention that matters: else an error in it would go unseen
		for i := range l.QKV {
			l.QKV[i] *= 2
		}
		for i := range l.O {
			l.O[i] *= 6
		}
	}
	file := filepath.Join(t.TempDir(), "model.gguf")
	if err := gguf.Write(file, w, tok, "test"); err != nil {
		t.Fatal(err)
	}
	s := serve(t, file)
	for _, text := range []string{"7ft5in en in:7*12=84", "the answer's  question\n\n\tand 12345 €½ — 語, I'LL", " x", "\u00a0<|im_end|>"} {
		var got struct {
			Tokens []int32 `json:"tokens"`
		}
		s.ask(t, "/tokenize", map[string]any{"content": text, "add_special": false, "parse_special": false}, &got)
		if d := cmp.Diff(tok.Encode(text), got.Tokens); d != "" {
			t.Errorf("%q (-here +llama.cpp):\n%s", text, d)
		}
	}
	var chat struct {
		Prompt string `json:"prompt"`
	}
	s.ask(t, "/apply-template", map[string]any{"messages": []map[string]string{
		{"role": "system", "content": "be brief"}, {"role": "user", "content": "the question?"}, {"role": "assistant", "content": "89in"}, {"role": "user", "content": "and"},
	}}, &chat)
	var turns struct {
		Tokens []int32 `json:"tokens"`
	}
	s.ask(t, "/tokenize", map[string]any{"content": chat.Prompt, "add_special": true, "parse_special": true}, &turns)
	want, _ := tok.Chat([]bpe.Message{
		{Role: "system", Content: "be brief"}, {Role: "user", Content: "the question?"}, {Role: "assistant", Content: "89in"}, {Role: "user", Content: "and"},
	}, true)
	if d := cmp.Diff(want, turns.Tokens); d != "" {
		t.Errorf("a chat, %q (-here +llama.cpp):\n%s", chat.Prompt, d)
	}

	m, err := infer.New(w, tok)
	if err != nil {
		t.Fatal(err)
	}
	const n = 24
	prompts := [][]int32{tok.Sequence(""), tok.Sequence("7ft5in en in:"), tok.Sequence("the question and the answer, 12345 €½")}
	var worst float64
	here := map[int][]int32{}
	err = m.Generate(t.Context(), len(prompts), func(i int) infer.Request { return infer.Request{Prompt: prompts[i]} },
		infer.Sampling{MaxTokens: n}, infer.Options{Threads: 1, Batch: 4}, func(r infer.Result) error {
			got := s.greedy(t, prompts[r.Index], n)
			here[r.Index] = r.Tokens
			if !slices.Equal(withoutEnd(r.Tokens, tok.EOS(), tok.EndTurn()), withoutEnd(got.Tokens, tok.EOS(), tok.EndTurn())) {
				t.Errorf("prompt %d: %d here, %d in llama.cpp", r.Index, r.Tokens, got.Tokens)
			}
			next := 0
			for _, p := range got.Probs { // it leaves out tokens that end within a character
				k := slices.Index(r.Tokens[next:], p.ID)
				if k < 0 {
					t.Fatalf("prompt %d: llama.cpp has a probability for token %d, which is not there", r.Index, p.ID)
				}
				worst = max(worst, math.Abs(p.Logprob-float64(r.Logprobs[next+k])))
				next += k + 1
			}
			return nil
		})
	if err != nil {
		t.Fatal(err)
	}
	if !(worst < 1e-4) {
		t.Errorf("log-probabilities differ by up to %g", worst)
	}
	t.Logf("log-probabilities differ by at most %.2g", worst)

	// The control: the rows of q and k as they lie in memory give other tokens.
	plain := w.Clone()
	for li, l := range plain.Layers {
		unordered(l.QKV[:w.AttnDim()*w.Dim], w.Layers[li].QKV, w.HeadDim, w.Dim)
		unordered(l.QKV[w.AttnDim()*w.Dim:][:w.KVDim()*w.Dim], w.Layers[li].QKV[w.AttnDim()*w.Dim:], w.HeadDim, w.Dim)
	}
	file = filepath.Join(t.TempDir(), "plain.gguf")
	if err := gguf.Write(file, plain, tok, "control"); err != nil {
		t.Fatal(err)
	}
	s = serve(t, file)
	if got := s.greedy(t, prompts[2], n).Tokens; slices.Equal(got, here[2]) {
		t.Error("without reordering q and k llama.cpp gives the same tokens: the test proves nothing")
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

func withoutEnd(ids []int32, ends ...int32) []int32 {
	if n := len(ids); n > 0 && slices.Contains(ends, ids[n-1]) {
		return ids[:n-1]
	}
	return ids
}
