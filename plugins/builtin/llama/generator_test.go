package llama

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"jupiter/plugins/builtin/llama/bpe"
	"jupiter/plugins/builtin/llama/gguf"
	"jupiter/plugins/builtin/llama/model"
	"jupiter/plugins/builtin/llama/train"
	pluginv1 "jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
	"jupiter/plugins/sdk/sdktest"
)

// shipped is a model of random parameters, large enough that its texts differ, as a GGUF file.
func shipped(t testing.TB, seed uint64) *sdk.Artifact {
	t.Helper()
	w, tok := random(seed)
	path := filepath.Join(t.TempDir(), "model.gguf")
	if err := gguf.Write(path, w, tok, "test"); err != nil {
		t.Fatal(err)
	}
	return &sdk.Artifact{Digest: fmt.Sprintf("sha256:%064d", seed), MediaType: sdk.GGUFMediaType, Path: path}
}

func random(seed uint64) (*model.Weights, *bpe.Tokenizer) {
	texts := []string{"7ft5in en in:7*12=84;84+5=89;89in", "the question and the answer", "the answer and the question", "5ft3in en in:"}
	tok := bpe.Train(slices.Values(texts), bpe.Options{VocabSize: 290})
	w := model.New(model.Config{Vocab: tok.Size(), Dim: 32, Layers: 2, Heads: 4, KVHeads: 2, HeadDim: 8, FFN: 64, Context: 96, RopeTheta: 10000, NormEps: 1e-5, Tied: true})
	w.Init(seed)
	for i := range w.Embed {
		w.Embed[i] *= 6
	}
	return w, tok
}

// drawn runs a generator in process and gives its records and cursors.
func drawn(t testing.TB, g *generator, c *sdk.Call, cfg generatorConfig, req *sdk.GenerateRequest) (rs []*sdk.Record, cursors [][]byte) {
	t.Helper()
	err := g.Generate(t.Context(), c, cfg, req, func(b *sdk.RecordBatch) error {
		rs, cursors = append(rs, b.Records...), append(cursors, b.Cursor)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return rs, cursors
}

// frozen is a clock that goes on by a step at every look.
func frozen(step time.Duration) func() time.Time {
	ticks := make(chan time.Time, 1)
	ticks <- time.Unix(0, 0)
	return func() time.Time {
		t := (<-ticks).Add(step)
		ticks <- t
		return t
	}
}

func defaults() generatorConfig {
	return generatorConfig{Temperature: 1, TopP: 1, RepetitionPenalty: 1, MaxTokens: 20, BatchSize: 16}
}

func TestGenerateRecords(t *testing.T) {
	t.Parallel()
	conn := sdktest.Open(t, Plugin("1.0.0"))
	call := conn.Call(t, pluginv1.Kind_KIND_GENERATOR, "llama", map[string]any{"max_tokens": 24})
	call.Seed = 5
	stream, err := conn.Generator.Generate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	req := &sdk.GenerateRequest{Call: call, Model: shipped(t, 1), Sets: []*sdk.PromptSet{
		{Template: "free", Samples: 60},
		{Template: "asked", Samples: 5, Prompts: []*sdk.Prompt{{Text: "the question", Bucket: "qa"}, {Text: "7ft5in en in:", Bucket: "units"}}},
		{Template: "chat", Samples: 1, Prompts: []*sdk.Prompt{{System: "be brief", Text: "the question"}}},
	}}
	if err := stream.Send(req); err != nil {
		t.Fatal(err)
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	events, err := sdktest.All[pluginv1.GenerateEvent](stream)
	if err != nil {
		t.Fatal(err)
	}
	var rs []*sdk.Record
	for _, e := range events {
		rs = append(rs, e.GetBatch().GetRecords()...)
	}
	if len(rs) != 66 {
		t.Fatalf("%d records, not 66", len(rs))
	}
	cut := 0
	seeds := map[uint64]bool{}
	for i, r := range rs {
		seeds[r.SampleSeed] = true
		want := map[string]string{"template": "free"}
		switch {
		case i >= 65:
			want["template"] = "chat"
			if len(r.Messages) != 3 || r.Text != "" || r.Prompt != "" || !r.Messages[2].Train || r.Messages[1].Train || r.Messages[0].Content != "be brief" {
				t.Errorf("a chat: %v", r)
			}
		case i >= 60:
			want["template"] = "asked"
			if p := req.Sets[1].Prompts[i%2]; r.Prompt != p.Text || r.Bucket != p.Bucket {
				t.Errorf("sample %d of the prompts: %v", i-60, r)
			}
		case r.Prompt != "" || r.PromptTokens != 1:
			t.Errorf("a text from BOS: %v", r)
		}
		if r.CompletionTokens == 24 && r.Meta["finish"] != "" {
			want["finish"] = "length"
			cut++
		}
		if d := cmp.Diff(want, r.Meta); d != "" || r.CompletionTokens > 24 || r.CompletionTokens == 0 {
			t.Errorf("record %d, %d tokens (-want +got):\n%s", i, r.CompletionTokens, d)
		}
	}
	if cut == 0 || len(seeds) != 66 {
		t.Errorf("%d of 66 samples cut at 24 tokens, %d different seeds", cut, len(seeds))
	}
}

// TestResume: from whatever cursor a call goes on, and by whatever way it is told where it stood, the rest is the same.
func TestResume(t *testing.T) {
	t.Parallel()
	g := &generator{now: frozen(batchEvery / 3)} // a batch every few records
	m := shipped(t, 1)
	sets := []*sdk.PromptSet{{Template: "a", Samples: 20}, {Template: "b", Samples: 15, StartIndex: 7, Prompts: []*sdk.Prompt{{Text: "the"}, {Text: "5"}, {Text: "x"}}}}
	whole, cursors := drawn(t, g, &sdk.Call{Seed: 9}, defaults(), &sdk.GenerateRequest{Model: m, Sets: sets})
	if len(whole) != 35 || len(cursors) < 5 {
		t.Fatalf("%d records in %d batches", len(whole), len(cursors))
	}
	for _, cursor := range cursors {
		left, err := sdk.Shares(sets, cursor)
		if err != nil {
			t.Fatal(err)
		}
		done := len(whole)
		for _, s := range left {
			done -= int(s.To - s.From)
		}
		cfg := defaults()
		cfg.BatchSize = 3
		rest, _ := drawn(t, g, &sdk.Call{Seed: 9, Cursor: cursor}, cfg, &sdk.GenerateRequest{Model: m, Sets: sets})
		if d := cmp.Diff(whole[done:], rest, protocmp.Transform(), cmpopts.EquateEmpty()); d != "" {
			t.Errorf("from %s (-undisturbed +resumed):\n%s", cursor, d)
		}
	}
	one := []*sdk.PromptSet{{Template: "a", Samples: 8, StartIndex: 12}}
	rest, _ := drawn(t, g, &sdk.Call{Seed: 9, Cursor: []byte(`{"template":"a","next":12}`)}, defaults(), &sdk.GenerateRequest{Model: m, Sets: one})
	if d := cmp.Diff(whole[12:20], rest, protocmp.Transform()); d != "" {
		t.Errorf("with the start index moved too (-undisturbed +resumed):\n%s", d)
	}
	err := g.Generate(t.Context(), &sdk.Call{Cursor: []byte(`{"template":"gone","next":1}`)}, defaults(), &sdk.GenerateRequest{Model: m, Sets: sets}, nil)
	if err == nil || !strings.Contains(err.Error(), "gone") {
		t.Errorf("a cursor of another request: error %v", err)
	}
}

func TestGenerateStops(t *testing.T) {
	t.Parallel()
	g := &generator{now: frozen(batchEvery / 10)}
	m := shipped(t, 1)
	req := &sdk.GenerateRequest{Model: m, Sets: []*sdk.PromptSet{{Template: "a", Samples: 2000}}}
	whole, _ := drawn(t, g, &sdk.Call{Seed: 9}, defaults(), req)
	stop := make(chan struct{})
	var got []*sdk.Record
	var last []byte
	err := g.Generate(t.Context(), &sdk.Call{Seed: 9, Stopped: stop}, defaults(), req, func(b *sdk.RecordBatch) error {
		if got == nil {
			close(stop)
		}
		got, last = append(got, b.Records...), b.Cursor
		return nil
	})
	if err != nil || len(got) == 0 || len(got) == len(whole) {
		t.Fatalf("stopped after the first batch: %d of %d records, error %v", len(got), len(whole), err)
	}
	if d := cmp.Diff(whole[:len(got)], got, protocmp.Transform()); d != "" {
		t.Errorf("(-undisturbed +stopped):\n%s", d)
	}
	rest, _ := drawn(t, g, &sdk.Call{Seed: 9, Cursor: last}, defaults(), req)
	if len(got)+len(rest) != len(whole) {
		t.Errorf("%d records before the stop and %d after, not %d", len(got), len(rest), len(whole))
	}
}

func TestCompleteAndScore(t *testing.T) {
	t.Parallel()
	conn := sdktest.Open(t, Plugin("1.0.0"))
	m := shipped(t, 2)
	call := conn.Call(t, pluginv1.Kind_KIND_GENERATOR, "llama", map[string]any{"max_tokens": 10})
	cs, err := conn.Generator.Complete(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	req := &pluginv1.CompleteRequest{Call: call, Model: m, Sampling: &sdk.Sampling{}, Prompts: []*sdk.Prompt{
		{Id: "a", Text: "the question"}, {Id: "b", Text: "7ft5in en in:"}, {Id: "long", Text: strings.Repeat("7", 200)},
	}}
	if err := cs.Send(req); err != nil {
		t.Fatal(err)
	}
	if err := cs.CloseSend(); err != nil {
		t.Fatal(err)
	}
	events, err := sdktest.All[pluginv1.CompleteEvent](cs)
	if err != nil {
		t.Fatal(err)
	}
	var done []*sdk.Completion
	for _, e := range events {
		if c := e.GetCompletion(); c != nil {
			done = append(done, c)
		}
	}
	if len(done) != 3 || done[0].PromptId != "a" || done[0].Text == "" || len(done[0].Tokens) != len(done[0].Logprobs) || done[2].Text != "" || done[2].FinishReason != "length" {
		t.Errorf("completions: %v", done)
	}
	score := func(items ...*sdk.LikelihoodItem) ([]*sdk.LikelihoodEvent, error) {
		ss, err := conn.Generator.Score(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := ss.Send(&pluginv1.LikelihoodRequest{Call: call, Model: m, Items: items}); err != nil {
			t.Fatal(err)
		}
		if err := ss.CloseSend(); err != nil {
			t.Fatal(err)
		}
		return sdktest.All[pluginv1.LikelihoodEvent](ss)
	}
	got, err := score(&sdk.LikelihoodItem{PromptId: "x", Prompt: "5ft3in en in:", Continuations: []string{"63in", "64in"}, End: true})
	if err != nil || len(got) != 1 || len(got[0].Likelihoods) != 2 {
		t.Fatalf("score: %v, error %v", got, err)
	}
	if l := got[0].Likelihoods[0]; l.Tokens != 4 || l.Bytes != 4 || !(l.SumLogprob < 0) { // 6, 3, in, the end
		t.Errorf("likelihood of 63in: %v", l)
	}
	if _, err := score(&sdk.LikelihoodItem{PromptId: "much", Prompt: strings.Repeat("7", 200), Continuations: []string{"1"}}); err == nil || !strings.Contains(err.Error(), `"much"`) {
		t.Errorf("an item beyond the context: error %v", err)
	}
}

// TestStream: what is read along is what Complete gives, from its first tokens on, and several calls share a model.
func TestStream(t *testing.T) {
	t.Parallel()
	conn := sdktest.Open(t, Plugin("1.0.0"))
	m := shipped(t, 2)
	call := conn.Call(t, pluginv1.Kind_KIND_GENERATOR, "llama", map[string]any{"max_tokens": 30, "batch_size": 4, "threads": 2})
	turns := []*sdk.Message{{Role: "user", Content: "the question"}, {Role: "assistant", Content: "the answer"}, {Role: "user", Content: "7ft5in en in:"}}
	prompts := []*sdk.Prompt{
		{Id: "a", Text: "the question"}, {Id: "b", Text: "7ft5in en in:"}, {Id: "long", Text: strings.Repeat("7", 200)},
		{Id: "c", System: "be brief", Text: "the question"}, {Id: "d", Messages: turns}, {Id: "e", Messages: turns[:1]},
	}
	ask := func(seed uint64, stream bool) []*pluginv1.CompleteEvent {
		cs, err := conn.Generator.Complete(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		c := proto.CloneOf(call)
		c.Seed = seed
		req := &pluginv1.CompleteRequest{Call: c, Model: m, Sampling: &sdk.Sampling{Temperature: 1, Stop: []string{"an", "ft5"}}, Prompts: prompts, Stream: stream}
		if err := errors.Join(cs.Send(req), cs.CloseSend()); err != nil {
			t.Fatal(err)
		}
		events, err := sdktest.All[pluginv1.CompleteEvent](cs)
		if err != nil {
			t.Error(err)
		}
		return events
	}
	var calls sync.WaitGroup
	for seed := range uint64(6) {
		calls.Go(func() {
			var whole, streamed []*sdk.Completion
			for _, e := range ask(seed, false) {
				if c := e.GetCompletion(); c != nil {
					whole = append(whole, c)
				}
			}
			texts, tokens := map[string]string{}, map[string][]*sdk.Token{}
			for _, e := range ask(seed, true) {
				if p := e.GetPiece(); p != nil {
					texts[p.PromptId] += p.Text
					tokens[p.PromptId] = append(tokens[p.PromptId], p.Tokens...)
				}
				c := e.GetCompletion()
				if c == nil {
					continue
				}
				streamed = append(streamed, c)
				if !strings.HasPrefix(c.Text, texts[c.PromptId]) || len(tokens[c.PromptId]) != len(c.Tokens) {
					t.Errorf("%s: pieces %q of %d tokens, and the text is %q of %d", c.PromptId, texts[c.PromptId], len(tokens[c.PromptId]), c.Text, len(c.Tokens))
				}
				for i, tok := range tokens[c.PromptId] {
					if tok.Id != c.Tokens[i] || tok.Logprob != c.Logprobs[i] {
						t.Errorf("%s: token %d is %v, want %d with %g", c.PromptId, i, tok, c.Tokens[i], c.Logprobs[i])
					}
				}
			}
			if d := cmp.Diff(whole, streamed, protocmp.Transform()); d != "" || len(whole) != len(prompts) {
				t.Errorf("(-whole +streamed):\n%s", d)
			}
		})
	}
	calls.Wait()
}

func TestGeneratorConfig(t *testing.T) {
	t.Parallel()
	zero, many := uint32(0), uint32(8)
	good := defaults()
	good.Threads = &many
	for _, c := range []struct {
		path string
		edit func(*generatorConfig)
	}{
		{"", func(*generatorConfig) {}},
		{"temperature", func(c *generatorConfig) { c.Temperature = -0.1 }},
		{"top_p", func(c *generatorConfig) { c.TopP = 0 }},
		{"top_p", func(c *generatorConfig) { c.TopP = 1.1 }},
		{"top_k", func(c *generatorConfig) { c.TopK = 1 << 31 }},
		{"min_p", func(c *generatorConfig) { c.MinP = 2 }},
		{"repetition_penalty", func(c *generatorConfig) { c.RepetitionPenalty = 0 }},
		{"max_tokens", func(c *generatorConfig) { c.MaxTokens = 0 }},
		{"stop", func(c *generatorConfig) { c.Stop = []string{"x", ""} }},
		{"", func(c *generatorConfig) { c.Prompts = new(promptsChat) }},
		{"prompts", func(c *generatorConfig) { c.Prompts = new("auto") }},
		{"batch_size", func(c *generatorConfig) { c.BatchSize = 0 }},
		{"threads", func(c *generatorConfig) { c.Threads = &zero }},
	} {
		cfg := good
		c.edit(&cfg)
		ds := cfg.Validate()
		if c.path == "" {
			if len(ds) != 0 {
				t.Errorf("a good configuration: %v", ds)
			}
			if o := cfg.options(); o.Threads != 8 || o.Batch != 16 {
				t.Errorf("options %+v", o)
			}
			continue
		}
		if len(ds) != 1 || ds[0].Attribute[0].GetName() != c.path {
			t.Errorf("%s: %v", c.path, ds)
		}
	}
	s, err := good.sampling(&sdk.Sampling{Temperature: 0, Stop: []string{"."}})
	if err != nil || s.Temperature != 0 || s.MaxTokens != 20 || s.Stop[0] != "." {
		t.Errorf("a request's sampling: %+v, %v", s, err)
	}
	if _, err := good.sampling(&sdk.Sampling{JsonSchema: []byte("{}")}); err == nil {
		t.Error("a JSON schema was accepted and ignored")
	}
}

func TestModels(t *testing.T) {
	t.Parallel()
	var ms models
	a, b, c := shipped(t, 1), shipped(t, 2), shipped(t, 3)
	get := func(x *sdk.Artifact) any {
		m, err := ms.get(x)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	first := get(a)
	get(b)
	if get(a) != first {
		t.Error("a model that is at hand was read again")
	}
	get(c) // displaces b, which was used longest ago
	if get(a) != first || len(ms.recent) != maxLoaded {
		t.Errorf("%d models are kept, or the wrong ones", len(ms.recent))
	}
	dir := filepath.Dir(b.Path)
	if _, err := ms.get(&sdk.Artifact{Path: dir}); err != nil {
		t.Errorf("a directory with one file: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "other.gguf"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := ms.get(&sdk.Artifact{Path: dir}); err == nil || !strings.Contains(err.Error(), "2 GGUF files") {
		t.Errorf("a directory with two files: error %v", err)
	}
	bad := &sdk.Artifact{Digest: "sha256:bad", Path: filepath.Join(dir, "other.gguf")}
	if _, err := ms.get(bad); err == nil {
		t.Error("an empty file was read as a model")
	}
	bad.Path = b.Path
	if _, err := ms.get(bad); err != nil {
		t.Errorf("a failure is remembered: %v", err)
	}
	if _, err := ms.get(nil); err == nil {
		t.Error("no model, and no error")
	}
}

func TestExport(t *testing.T) {
	t.Parallel()
	w, tok := random(4)
	n := len(w.Flat)
	dir := filepath.Join(t.TempDir(), "checkpoint")
	cp := train.Checkpoint{Info: train.Info{Step: 40, Windows: []train.Window{{Start: 0, End: 40, Dataset: "sha256:aa"}}, Real: "sha256:bb"}, Weights: w, Moments: train.Moments{M: make([]float32, n), V: make([]float32, n)}, Tokenizer: tok}
	if err := train.WriteCheckpoint(dir, cp); err != nil {
		t.Fatal(err)
	}
	conn := sdktest.Open(t, Plugin("1.0.0"))
	for _, c := range []struct{ format, dtype string }{
		{"gguf", "f32"}, {"gguf", "f16"}, {"gguf", "bf16"}, {"gguf", "q8_0"}, {"huggingface", "f32"}, {"huggingface", "f16"}, {"huggingface", "bf16"},
	} {
		path := exported(t, conn, map[string]any{"format": c.format, "dtype": c.dtype}, dir)
		back, err := readModel(path)
		if err != nil {
			t.Fatal(err)
		}
		most := 0.0
		for i, v := range w.Flat {
			most = max(most, math.Abs(float64(back.weights.Flat[i]-v))/math.Max(math.Abs(float64(v)), 0.5))
		}
		if bound := map[string]float64{"f16": 0x1p-11, "bf16": 0x1p-8, "q8_0": 0.05}[c.dtype]; most > bound || bound > 0 && most == 0 {
			t.Errorf("%v: parameters are off by %g, at most %g", c, most, bound)
		}
		if d := cmp.Diff(tok.Vocabulary(), back.tokenizer.Vocabulary()); d != "" {
			t.Errorf("%v: tokenizer (-checkpoint +file):\n%s", c, d)
		}
		if _, err := load(path); err != nil {
			t.Errorf("%v: the generator does not run it: %v", c, err)
		}
		if c.format == "gguf" {
			continue
		}
		card, err := os.ReadFile(filepath.Join(path, "README.md"))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"| Steps | 40, in 0 updates of AdamW |", "| Data of steps 0 to 40 | sha256:aa |", "| Data of the tokenizer | sha256:bb |"} {
			if !strings.Contains(string(card), want) {
				t.Errorf("%v: the card lacks %q:\n%s", c, want, card)
			}
		}
	}
	for _, c := range []struct {
		config    exporterConfig
		attribute string
		want      string
	}{
		{exporterConfig{"gguf", "q4"}, "dtype", `"f32", "f16", "bf16" or "q8_0"`},
		{exporterConfig{"huggingface", "q8_0"}, "dtype", "a format of GGUF files"},
		{exporterConfig{"onnx", "f32"}, "format", `"gguf" or "huggingface"`},
	} {
		if ds := c.config.Validate(); len(ds) != 1 || ds[0].Attribute[0].GetName() != c.attribute || !strings.Contains(ds[0].Detail, c.want) {
			t.Errorf("%v: %v", c.config, ds)
		}
	}
}

// exported calls the exporter, and gives the output's path.
func exported(t *testing.T, conn *sdktest.Conn, config map[string]any, checkpoint string) string {
	t.Helper()
	call := conn.Call(t, pluginv1.Kind_KIND_EXPORTER, "llama", config)
	stream, err := conn.Exporter.Export(t.Context(), &pluginv1.ExportRequest{Call: call, Checkpoint: &sdk.Artifact{Path: checkpoint, MediaType: sdk.CheckpointMediaType}})
	if err != nil {
		t.Fatal(err)
	}
	events, err := sdktest.All[pluginv1.ExportEvent](stream)
	if err != nil {
		t.Fatal(err)
	}
	out := events[len(events)-1].GetOutput()
	media := sdk.GGUFMediaType
	if config["format"] == "huggingface" {
		media = hfMediaType
	}
	if out.GetName() != "model" || out.GetMediaType() != media || out.GetMeta()["step"] == "" {
		t.Errorf("%v: output %v", config, out)
	}
	return filepath.Join(call.WorkDir, out.GetPath())
}

// TestGeneratorWithoutModel: a plan asks for the fingerprint of a generator that brings its model, and this one brings
// none.
func TestGeneratorWithoutModel(t *testing.T) {
	t.Parallel()
	conn := sdktest.Open(t, Plugin("1.0.0"))
	const kind = pluginv1.Kind_KIND_GENERATOR
	_, err := conn.Plugin.Fingerprint(t.Context(), &pluginv1.FingerprintRequest{Kind: kind, Stage: "llama", Config: conn.Config(t, kind, "llama", map[string]any{})})
	if err == nil || !strings.Contains(err.Error(), "model = trainer.") {
		t.Errorf("got %v", err)
	}
}
