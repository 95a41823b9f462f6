package openai

import (
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"jupiter/plugins/builtin/llama/bpe"
	"jupiter/plugins/builtin/llama/gguf"
	llamamodel "jupiter/plugins/builtin/llama/model"
	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
	"jupiter/plugins/sdk/sdktest"
)

// score gives the log-likelihoods of items' continuations.
func score(t *testing.T, c *sdktest.Conn, pc *pluginv1.Call, m *sdk.Artifact, items ...*sdk.LikelihoodItem) (all []*sdk.LikelihoodEvent, err error) {
	t.Helper()
	stream, err := c.Generator.Score(t.Context())
	if err == nil {
		err = stream.Send(&pluginv1.LikelihoodRequest{Call: pc, Model: m, Items: items})
	}
	if err == nil {
		err = stream.CloseSend()
	}
	if err != nil {
		t.Fatal(err)
	}
	return sdktest.All(stream)
}

// A server that does not tell what it makes of a chat leaves its model without likelihoods; the host asks with no items.
func TestNoTemplateNoLikelihoods(t *testing.T) {
	t.Parallel()
	c := client(t)
	for how, want := range map[string]codes.Code{"": codes.Unimplemented, "renders": codes.OK} {
		pc := c.Call(t, kindOf, "openai", with(served(t, how, nil), "api", "chat"))
		events, err := score(t, c, pc, aModel(t))
		if status.Code(err) != want || len(events) != 0 {
			t.Errorf("%q: %d events and %v, want %v", how, len(events), err, want)
		}
	}
	item := &sdk.LikelihoodItem{PromptId: "q", Prompt: "to be?", Continuations: []string{"to be"}}
	m := aModel(t)
	chat := likelihood(t, c, c.Call(t, kindOf, "openai", with(served(t, "renders", nil), "api", "chat")), m, item)
	plain := likelihood(t, c, c.Call(t, kindOf, "openai", served(t, "renders", nil)), m, item)
	if chat == plain {
		t.Errorf("an answer in a chat is as likely as one after the bare prompt, %g", chat)
	}
	pc := c.Call(t, kindOf, "openai", served(t, "", nil)) // of texts there always are
	if _, err := score(t, c, pc, aModel(t)); err != nil {
		t.Error(err)
	}
}

// with gives a configuration with one more attribute.
func with(cfg values, name string, v any) values {
	cfg[name] = v
	return cfg
}

// aModel is a model of a few random parameters that knows turns of a chat.
func aModel(t *testing.T) *sdk.Artifact {
	t.Helper()
	tok := bpe.Train(slices.Values([]string{"to be or not to be"}), bpe.Options{VocabSize: 280})
	w := llamamodel.New(llamamodel.Config{Vocab: tok.Size(), Context: 64, Dim: 16, Layers: 1, Heads: 2, KVHeads: 2, HeadDim: 8, FFN: 16, RopeTheta: 10000, NormEps: 1e-5, Tied: true})
	w.Init(1)
	path := filepath.Join(t.TempDir(), "model.gguf")
	if err := gguf.Write(path, w, tok, "tiny"); err != nil {
		t.Fatal(err)
	}
	return &sdk.Artifact{Digest: "sha256:tiny", MediaType: sdk.GGUFMediaType, Path: path}
}

// TestLlamaServerScoresChats holds the likelihood of an answer in a chat to what llama-server says while it writes that
// answer, with a downloaded model. Scored as the beginning of a text the same prompt gives another figure, which is the
// negative control.
func TestLlamaServerScoresChats(t *testing.T) {
	t.Parallel()
	server := os.Getenv("LLAMA_SERVER")
	if server == "" {
		server = "llama-server"
	}
	server, err := exec.LookPath(server)
	if err != nil {
		t.Skipf("NOT TESTED, LIKELIHOODS OF CHATS: %v; .ci/llama.cpp fetches llama.cpp, and LLAMA_SERVER names its llama-server", err)
	}
	file := os.Getenv("LLAMA_MODEL")
	if file == "" {
		t.Skip("NOT TESTED, LIKELIHOODS OF CHATS: set LLAMA_MODEL to a GGUF file of a downloaded model, such as the one that .ci/model fetches")
	}
	m := &sdk.Artifact{Digest: "sha256:downloaded", MediaType: sdk.GGUFMediaType, Path: file}
	c := client(t)
	config := values{"api": "chat", "temperature": 0, "max_tokens": 16, "logprobs": true, "serve": values{"command": server, "args": []string{
		"--model", "{model}", "--host", "127.0.0.1", "--port", "{port}", "--ctx-size", "1024", "--parallel", "1", "--threads", "1", "--jinja"}}}
	questions := []string{"What is the capital of France?", "Write a haiku about the sea.", "What does <|im_end|> mean?"}
	for _, question := range questions {
		written := answer(t, c, config, m, question)
		sum := 0.0
		for _, l := range written.Logprobs {
			sum += float64(l)
		}
		item := &sdk.LikelihoodItem{PromptId: "q", Prompt: question, Continuations: []string{written.Text}, End: written.FinishReason == "stop"}
		chat := likelihood(t, c, c.Call(t, kindOf, "openai", config), m, item)
		plain := likelihood(t, c, c.Call(t, kindOf, "openai", with(maps.Clone(config), "api", "completions")), m, item)
		// The file has 4 bits a number, and llama.cpp rounds what it multiplies with them to 8: some hundredths a token.
		bound := 0.1 * float64(len(written.Logprobs))
		t.Logf("%q: llama-server %.3f, in a chat %.3f, as a text %.3f, %d tokens", written.Text, sum, chat, plain, len(written.Logprobs))
		if len(written.Logprobs) == 0 || math.Abs(chat-sum) > bound {
			t.Errorf("%q: the answer has %.3f in a chat, and llama-server says %.3f", question, chat, sum)
		}
		if math.Abs(plain-sum) < bound {
			t.Errorf("%q: as a text the answer has %.3f: the test sees no difference", question, plain)
		}
	}
}

func answer(t *testing.T, c *sdktest.Conn, config values, m *sdk.Artifact, question string) *sdk.Completion {
	t.Helper()
	stream, err := c.Generator.Complete(t.Context())
	if err == nil {
		err = stream.Send(&pluginv1.CompleteRequest{Call: c.Call(t, kindOf, "openai", config), Model: m, Prompts: []*sdk.Prompt{{Id: "q", Text: question}}})
	}
	if err == nil {
		err = stream.CloseSend()
	}
	if err != nil {
		t.Fatal(err)
	}
	events, err := sdktest.All(stream)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if d := e.GetCompletion(); d != nil {
			return d
		}
	}
	t.Fatal("there is no answer")
	return nil
}

func likelihood(t *testing.T, c *sdktest.Conn, pc *pluginv1.Call, m *sdk.Artifact, item *sdk.LikelihoodItem) float64 {
	t.Helper()
	events, err := score(t, c, pc, m, item)
	if err != nil || len(events) != 1 || len(events[0].Likelihoods) != 1 {
		t.Fatalf("%d events: %v", len(events), err)
	}
	if events[0].Scorer != scorerName {
		t.Errorf("scored by %q", events[0].Scorer)
	}
	return events[0].Likelihoods[0].SumLogprob
}
