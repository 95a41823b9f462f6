package llama

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jupiter/plugins/builtin/llama/bpe"
	"jupiter/plugins/builtin/llama/train"
	pluginv1 "jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
	"jupiter/plugins/sdk/sdktest"
)

// small is a model that trains in milliseconds.
func small(more map[string]any) map[string]any {
	c := map[string]any{"layers": 1, "dim": 16, "heads": 2, "batch_size": 4, "learning_rate": 0.01, "dropout": 0.1, "vocab_size": 280,
		"warmup_steps": 2, "prompt_loss_weight": 0.1, "threads": 1}
	for k, v := range more {
		c[k] = v
	}
	return c
}

func openTrainer(t *testing.T) *sdktest.Conn {
	t.Helper()
	return sdktest.Open(t, sdk.Plugin{Name: "llama", Version: "1.0.0", Stages: []sdk.Stage{trainerStage(func() {})}})
}

// sums writes n records of additions.
func sums(t *testing.T, n int) *sdk.Artifact {
	t.Helper()
	path := filepath.Join(t.TempDir(), "records.jsonl")
	w, err := sdk.CreateRecords(path)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range n {
		a, b := r.IntN(50), r.IntN(50)
		if err := w.Write(&sdk.Record{Prompt: fmt.Sprintf("%d plus %d:", a, b), Text: fmt.Sprint(a + b)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &sdk.Artifact{Path: path, MediaType: sdk.RecordsMediaType}
}

// result is what a call of Train gave.
type result struct {
	steps       []uint64
	dir         string // work directory
	progress    []*pluginv1.Progress
	diagnostics []*sdk.Diagnostic
	err         error
}

func (r result) checkpoint(step uint64) *sdk.Artifact {
	return &sdk.Artifact{Path: filepath.Join(r.dir, fmt.Sprintf("step-%d", step)), MediaType: sdk.CheckpointMediaType}
}

func trainCall(t *testing.T, conn *sdktest.Conn, config any, req *sdk.TrainRequest) result {
	t.Helper()
	req.Call = conn.Call(t, pluginv1.Kind_KIND_TRAINER, "llama", config)
	req.Call.Seed = 42
	stream, err := conn.Trainer.Train(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	events, err := sdktest.All(stream)
	r := result{dir: req.Call.WorkDir, err: err}
	for _, e := range events {
		switch x := e.Event.(type) {
		case *pluginv1.TrainEvent_Checkpoint:
			r.steps = append(r.steps, x.Checkpoint.Step)
		case *pluginv1.TrainEvent_Progress:
			r.progress = append(r.progress, x.Progress)
		case *pluginv1.TrainEvent_Diagnostic:
			r.diagnostics = append(r.diagnostics, x.Diagnostic)
		}
	}
	return r
}

func sameFiles(t *testing.T, a, b *sdk.Artifact) {
	t.Helper()
	for _, name := range []string{"model.safetensors", "optimizer.safetensors", "trainer.json", "tokenizer.json"} {
		x, err := os.ReadFile(filepath.Join(a.Path, name))
		if err != nil {
			t.Fatal(err)
		}
		y, err := os.ReadFile(filepath.Join(b.Path, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(x, y) {
			t.Errorf("%s differs between %s and %s", name, filepath.Base(a.Path), filepath.Base(b.Path))
		}
	}
}

func TestTrainSavesAndContinuesBitForBit(t *testing.T) {
	t.Parallel()
	conn, data := openTrainer(t), sums(t, 200)
	whole := trainCall(t, conn, small(nil), &sdk.TrainRequest{Dataset: data, Real: data, ToStep: 25, WindowEnd: 25, SaveEverySteps: 10})
	if whole.err != nil {
		t.Fatal(whole.err)
	}
	if d := cmp.Diff([]uint64{10, 20, 25}, whole.steps); d != "" {
		t.Errorf("checkpoints: %s", d)
	}
	last := whole.progress[len(whole.progress)-1]
	if last.Done != 25 || last.Total != 25 || last.Unit != "steps" || last.Metrics["loss"] <= 0 || last.Metrics["grad_norm"] <= 0 {
		t.Errorf("last progress: %v", last)
	}
	rest := trainCall(t, conn, small(map[string]any{"threads": 2}),
		&sdk.TrainRequest{Dataset: data, Real: data, Checkpoint: whole.checkpoint(10), FromStep: 10, ToStep: 25, WindowEnd: 25, SaveEverySteps: 10})
	if rest.err != nil {
		t.Fatal(rest.err)
	}
	sameFiles(t, whole.checkpoint(20), rest.checkpoint(20))
	sameFiles(t, whole.checkpoint(25), rest.checkpoint(25))

	cp, err := train.ReadCheckpoint(rest.checkpoint(25).Path)
	if err != nil {
		t.Fatal(err)
	}
	if cp.Info.Step != 25 || cp.Info.Updates != 25 || cp.Info.Seed != 42 {
		t.Errorf("checkpoint says %+v", cp.Info)
	}
}

// A warm start takes parameters and moments from another step and begins a schedule of its own; the end of a window is
// a checkpoint whatever save_every_steps is.
func TestTrainStartsANewWindowWarm(t *testing.T) {
	t.Parallel()
	conn, data := openTrainer(t), sums(t, 100)
	first := trainCall(t, conn, small(nil), &sdk.TrainRequest{Dataset: data, Real: data, ToStep: 10, WindowEnd: 10, SaveEverySteps: 5})
	if first.err != nil {
		t.Fatal(first.err)
	}
	second := trainCall(t, conn, small(nil),
		&sdk.TrainRequest{Dataset: data, Checkpoint: first.checkpoint(5), FromStep: 10, ToStep: 20, WindowStart: 10, WindowEnd: 20})
	if second.err != nil {
		t.Fatal(second.err)
	}
	if d := cmp.Diff([]uint64{20}, second.steps); d != "" {
		t.Errorf("checkpoints: %s", d)
	}
	cp, err := train.ReadCheckpoint(second.checkpoint(20).Path)
	if err != nil {
		t.Fatal(err)
	}
	if cp.Info.Updates != 15 {
		t.Errorf("%d updates, want 5 from the start and 10 of the window", cp.Info.Updates)
	}
}

func TestTrainSavesWhenStopped(t *testing.T) {
	t.Parallel()
	conn, data := openTrainer(t), sums(t, 40_000)
	req := &sdk.TrainRequest{Dataset: data, Real: data, ToStep: 10_000, WindowEnd: 10_000, SaveEverySteps: 5}
	req.Call = conn.Call(t, pluginv1.Kind_KIND_TRAINER, "llama", small(nil))
	stream, err := conn.Trainer.Train(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	var steps []uint64
	for {
		e, err := stream.Recv()
		if err != nil {
			if err.Error() != "EOF" {
				t.Fatal(err)
			}
			break
		}
		if c := e.GetCheckpoint(); c != nil {
			steps = append(steps, c.Step)
			if len(steps) == 1 {
				if _, err := conn.Plugin.Stop(context.Background(), &pluginv1.StopRequest{CallId: req.Call.Id}); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if n := len(steps); n < 2 || steps[n-1] >= 10_000 {
		t.Fatalf("checkpoints %v", steps)
	}
	path := filepath.Join(req.Call.WorkDir, fmt.Sprintf("step-%d", steps[len(steps)-1]))
	cp, err := train.ReadCheckpoint(path)
	if err != nil {
		t.Fatal(err)
	}
	if cp.Info.Step != steps[len(steps)-1] {
		t.Errorf("the last checkpoint says step %d", cp.Info.Step)
	}
}

func TestTrainRefuses(t *testing.T) {
	t.Parallel()
	conn, data := openTrainer(t), sums(t, 20)
	start := trainCall(t, conn, small(nil), &sdk.TrainRequest{Dataset: data, Real: data, ToStep: 2, WindowEnd: 2})
	if start.err != nil {
		t.Fatal(start.err)
	}
	for _, c := range []struct {
		name string
		more map[string]any
		req  *sdk.TrainRequest
		want string
	}{
		{"another architecture", map[string]any{"layers": 2}, &sdk.TrainRequest{Dataset: data, Checkpoint: start.checkpoint(2), FromStep: 2, ToStep: 4, WindowStart: 2, WindowEnd: 4},
			"the start checkpoint has 1 layers, dim 16, 2 heads (2 kv) of 8, ffn 48, vocab 265, tied, rope theta 10000; the configuration asks for 2 layers"},
		{"a checkpoint of another step within a window", nil, &sdk.TrainRequest{Dataset: data, Checkpoint: start.checkpoint(2), FromStep: 3, ToStep: 4, WindowEnd: 4}, "needs its checkpoint, and this one is of step 2"},
		{"no checkpoint within a window", nil, &sdk.TrainRequest{Dataset: data, FromStep: 3, ToStep: 4, WindowEnd: 4}, "needs its checkpoint"},
		{"too few records", nil, &sdk.TrainRequest{Dataset: data, ToStep: 6, WindowEnd: 6}, "step 5: the dataset ends after 20 records, and a step reads 4 more"},
		{"no dataset", nil, &sdk.TrainRequest{ToStep: 6, WindowEnd: 6}, "no dataset"},
		{"steps outside the window", nil, &sdk.TrainRequest{Dataset: data, ToStep: 6, WindowEnd: 5}, "do not lie in the window"},
		{"a cluster", nil, &sdk.TrainRequest{Dataset: data, ToStep: 6, WindowEnd: 6, Topology: &pluginv1.Topology{Peers: []*pluginv1.Peer{{Name: "a"}, {Name: "b"}}}}, "one machine"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := trainCall(t, conn, small(c.more), c.req)
			if r.err == nil || !strings.Contains(r.err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", r.err, c.want)
			}
		})
	}
}

// TestTrainDiverges: a run that learns nothing any more ends at once, says at which step, and what it saved before can be read.
func TestTrainDiverges(t *testing.T) {
	t.Parallel()
	const every = 2
	conn, data := openTrainer(t), sums(t, 4000)
	for _, c := range []struct {
		name string
		more map[string]any
		want string
	}{
		{"the loss is not a number", map[string]any{"learning_rate": 10, "clip": 0, "warmup_steps": 0, "weight_decay": 10}, "loss or gradient is not finite (loss "},
		{"the loss explodes", map[string]any{"learning_rate": 10, "clip": 0, "warmup_steps": 40}, "the loss has exploded ("},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := trainCall(t, conn, small(c.more), &sdk.TrainRequest{Dataset: data, ToStep: 1000, WindowEnd: 1000, SaveEverySteps: every})
			if r.err == nil || len(r.steps) == 0 {
				t.Fatalf("it ended with %v after the checkpoints %d", r.err, r.steps)
			}
			last := r.steps[len(r.steps)-1]
			said := regexp.MustCompile(`step (\d+): ` + regexp.QuoteMeta(c.want) + `.*; the checkpoint of step (\d+) was saved before: try a lower learning_rate than `).
				FindStringSubmatch(r.err.Error())
			if said == nil {
				t.Fatalf("it ended with %v", r.err)
			}
			if at, saved := number(t, said[1]), number(t, said[2]); saved != last || at-saved >= every {
				t.Errorf("it ended at step %d, and says that it saved step %d; the last that was saved is %d", at, saved, last)
			}
			if _, err := train.ReadCheckpoint(r.checkpoint(last).Path); err != nil {
				t.Error(err)
			}
		})
	}
}

func number(t *testing.T, text string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTrainWarnsOfCutRecords(t *testing.T) {
	t.Parallel()
	conn, data := openTrainer(t), sums(t, 20)
	r := trainCall(t, conn, small(map[string]any{"recipe": map[string]any{"max_seq_length": 4}}), &sdk.TrainRequest{Dataset: data, ToStep: 2, WindowEnd: 2})
	if r.err != nil {
		t.Fatal(r.err)
	}
	if len(r.diagnostics) != 1 || !strings.Contains(r.diagnostics[0].Detail, "8 of 8 records") {
		t.Fatalf("diagnostics: %v", r.diagnostics)
	}
	if d := cmp.Diff("recipe.max_seq_length", attribute(r.diagnostics[0])); d != "" {
		t.Error(d)
	}
}

func attribute(d *sdk.Diagnostic) string {
	var parts []string
	for _, p := range d.Attribute {
		parts = append(parts, p.GetName())
	}
	return strings.Join(parts, ".")
}

func TestValidateNamesTheAttribute(t *testing.T) {
	t.Parallel()
	conn := openTrainer(t)
	for _, c := range []struct {
		name   string
		config string
		want   []string // attribute: words of the detail
	}{
		{"as the quickstart writes it", `{"layers": 3, "dim": 64, "heads": 4, "ffn": 176, "dropout": 0.15, "learning_rate": 0.006, "recipe": {"batch_size": 32, "weight_decay": 0.1, "betas": [0.9, 0.95], "clip": 1, "prompt_loss_weight": 0.1, "warmup_steps": 30, "min_lr_ratio": 0.05}}`, nil},
		{"a preset", `{"preset": "125m", "vocab_size": 32000, "max_seq_length": 2048, "gradient_accumulation_steps": 4}`, nil},
		{"no sizes", `{}`, []string{"layers: not set", "dim: not set", "heads: not set"}},
		{"unknown preset", `{"preset": "7b"}`, []string{"preset: Known sizes: 1m, 15m, 42m, 125m, 350m"}},
		{"unknown preset in the recipe", `{"recipe": {"preset": "7b"}}`, []string{"recipe.preset: no preset \"7b\""}},
		{"heads that do not fit", `{"layers": 1, "dim": 12, "heads": 4}`, []string{"heads: multiple of twice"}},
		{"kv heads that do not fit", `{"layers": 1, "dim": 24, "heads": 4, "kv_heads": 3}`, []string{"kv_heads: does not divide"}},
		{"ranges", `{"layers": 0, "dim": 16, "heads": 2, "recipe": {"dropout": 1, "betas": [0.9]}}`, []string{"layers: from 1", "recipe.dropout: below 1", "recipe.betas: 1 numbers"}},
		{"the trainer's own attribute wins", `{"layers": 1, "dim": 16, "heads": 2, "dropout": 0, "recipe": {"dropout": 1}}`, nil},
		{"a vocabulary without room for bytes", `{"preset": "1m", "vocab_size": 100}`, []string{"vocab_size: from 261"}},
		{"threads", `{"preset": "1m", "threads": 0}`, []string{"threads: from 1"}},
		{"prompts as chats", `{"preset": "1m", "recipe": {"prompts": "chat"}}`, nil},
		{"prompts as something else", `{"preset": "1m", "recipe": {"prompts": "chats"}}`, []string{"recipe.prompts: it is text or chat"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			resp, err := conn.Plugin.Validate(t.Context(), &pluginv1.ValidateRequest{Items: []*pluginv1.ValidateItem{{
				Kind: pluginv1.Kind_KIND_TRAINER, Stage: "llama", Config: &pluginv1.Config{Json: []byte(c.config)},
			}}})
			if err != nil {
				t.Fatal(err)
			}
			if len(resp.Diagnostics) != len(c.want) {
				t.Fatalf("got %v, want %d diagnostics", resp.Diagnostics, len(c.want))
			}
			for i, d := range resp.Diagnostics {
				at, words, _ := strings.Cut(c.want[i], ": ")
				if attribute(d) != at || !strings.Contains(d.Detail, words) {
					t.Errorf("got %s: %s, want %s", attribute(d), d.Detail, c.want[i])
				}
			}
		})
	}
}

func TestPresetsAreTheSizesTheyName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][2]float64{"1m": {0.7e6, 1.3e6}, "15m": {14e6, 16e6}, "42m": {40e6, 44e6}, "125m": {120e6, 130e6}, "350m": {335e6, 360e6}} {
		vocab := 32000
		if name == "1m" {
			vocab = 512
		}
		s, ds := trainerConfig{training: training{Preset: &name, VocabSize: &vocab}}.settings()
		if len(ds) > 0 {
			t.Fatal(ds)
		}
		if n := float64(s.model.Params()); n < want[0] || n > want[1] {
			t.Errorf("%s has %.1f M parameters", name, n/1e6)
		}
	}
}

func TestEstimateCountsTheRecords(t *testing.T) {
	t.Parallel()
	conn := openTrainer(t)
	config := conn.Config(t, pluginv1.Kind_KIND_TRAINER, "llama", map[string]any{"layers": 3, "dim": 64, "heads": 4, "gradient_accumulation_steps": 2})
	got, err := conn.Plugin.Estimate(t.Context(), &pluginv1.EstimateRequest{Kind: pluginv1.Kind_KIND_TRAINER, Stage: "llama", Config: config, Items: 1600})
	if err != nil {
		t.Fatal(err)
	}
	if got.Records != 1600*64 {
		t.Errorf("%d records", got.Records)
	}
	if per := got.Flop / got.PromptTokens; per < 6*150e3 || per > 6*220e3 {
		t.Errorf("%.0f operations a token of a model of about 180,000 parameters", per)
	}
	if got.PeakMemoryBytes < 1e6 || got.PeakMemoryBytes > 1e9 {
		t.Errorf("%.0f bytes of memory", got.PeakMemoryBytes)
	}
}

func TestEncodeWeighsTokens(t *testing.T) {
	t.Parallel()
	tok := bpe.Train(func(yield func(string) bool) { yield("ab") }, bpe.Options{VocabSize: 261})
	for _, c := range []struct {
		name, record string
		want         string // tokens with weights
	}{
		{"prompt and text", `{"prompt": "ab", "text": "c"}`, "<|begin_of_text|>0 a.5 b.5 c1 <|endoftext|>1"},
		{"text alone", `{"text": "ab"}`, "<|begin_of_text|>0 a1 b1 <|endoftext|>1"},
		{"chat", `{"messages": [{"role": "u", "content": "a"}, {"role": "m", "content": "b", "train": true}]}`,
			"<|begin_of_text|>0 <|im_start|>0 u0 \n0 a0 <|im_end|>0 \n0 <|im_start|>0 m0 \n0 b1 <|im_end|>1 \n0 <|endoftext|>1"},
		{"cut", `{"text": "abcdefghijklmnopq"}`, "<|begin_of_text|>0 a1 b1 c1 d1 e1 f1 g1 h1 i1 j1 k1 l1 m1"},
		{"special tokens in text are text", `{"text": "<|"}`, "<|begin_of_text|>0 <1 |1 <|endoftext|>1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "r.jsonl")
			if err := os.WriteFile(path, []byte(c.record+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			for rec, err := range records(path) {
				if err != nil {
					t.Fatal(err)
				}
				seq, cut, err := encode(tok, rec, 0.5, 13)
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for i, id := range seq.Tokens {
					got = append(got, tok.Bytes(id)+strings.TrimPrefix(fmt.Sprint(seq.Weights[i]), "0."))
				}
				want := strings.ReplaceAll(c.want, ".5", "5")
				if d := cmp.Diff(want, strings.Join(got, " ")); d != "" {
					t.Error(d)
				}
				if cut != (c.name == "cut") {
					t.Errorf("cut: %v", cut)
				}
			}
		})
	}
	if _, _, err := encode(tok, &sdk.Record{Prompt: "a"}, 1, 10); err == nil {
		t.Error("encoded a record without text")
	}
}

func TestRecordsOfADirectoryComeInOrder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"b", "a"} {
		line, err := json.Marshal(map[string]string{"text": name})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name+".jsonl"), append(line, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for rec, err := range records(dir) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, rec.Text)
	}
	if d := cmp.Diff([]string{"a", "b"}, got); d != "" {
		t.Error(d)
	}
	for _, err := range records(t.TempDir()) {
		if err == nil || !strings.Contains(err.Error(), "no .jsonl") {
			t.Errorf("an empty directory gives %v", err)
		}
	}
}

// A tokenizer that the configuration gives is the student's, in the first window and in the next; nothing is trained.
func TestGivenTokenizer(t *testing.T) {
	t.Parallel()
	conn, data := openTrainer(t), sums(t, 40)
	file, err := os.ReadFile(filepath.Join("bpe", "testdata", "llama3.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		config map[string]any
		size   int
		tokens string // what " plus 12" is
	}{
		{"vocabulary", map[string]any{"vocabulary": []string{" plus", "12"}}, 263, " plus| |12"},
		{"tokenizer", map[string]any{"tokenizer": string(file)}, 3006, " |p|lu|s| |12"},
	} {
		config := small(c.config)
		delete(config, "vocab_size")
		first := trainCall(t, conn, config, &sdk.TrainRequest{Dataset: data, Real: data, ToStep: 2, WindowEnd: 2})
		if first.err != nil {
			t.Fatalf("%s: %v", c.name, first.err)
		}
		second := trainCall(t, conn, config, &sdk.TrainRequest{Dataset: data, Real: data, Checkpoint: first.checkpoint(2), FromStep: 2, ToStep: 4, WindowStart: 2, WindowEnd: 4})
		if second.err != nil {
			t.Fatalf("%s: %v", c.name, second.err)
		}
		cp, err := train.ReadCheckpoint(second.checkpoint(4).Path)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, id := range cp.Tokenizer.Encode(" plus 12") {
			got = append(got, cp.Tokenizer.Bytes(id))
		}
		if cp.Tokenizer.Size() != c.size || cp.Weights.Vocab != c.size || strings.Join(got, "|") != c.tokens || cp.Info.Real != "" {
			t.Errorf("%s: %d tokens, %d rows, %q", c.name, cp.Tokenizer.Size(), cp.Weights.Vocab, got)
		}
		config["vocabulary"] = []string{"other"}
		delete(config, "tokenizer")
		other := trainCall(t, conn, config, &sdk.TrainRequest{Dataset: data, Real: data, Checkpoint: first.checkpoint(2), FromStep: 2, ToStep: 4, WindowStart: 2, WindowEnd: 4})
		if other.err == nil || !strings.Contains(other.err.Error(), "another tokenizer than the configuration gives") {
			t.Errorf("%s: another tokenizer in the second window: %v", c.name, other.err)
		}
	}
}

func TestGivenTokenizerDiagnostics(t *testing.T) {
	t.Parallel()
	text := func(s string) *string { return &s }
	size, apart := 300, true
	preset := text("1m")
	for _, c := range []struct {
		config    training
		attribute string
		want      string
	}{
		{training{Vocabulary: []string{"in"}, VocabSize: &size}, "vocab_size", "vocab_size is about a tokenizer that is trained, and vocabulary gives one"},
		{training{Tokenizer: text("{}"), Vocabulary: []string{"in"}}, "vocabulary", "both give one"},
		{training{Vocabulary: []string{"in"}, SpacesApart: &apart}, "spaces_apart", "is about a tokenizer that is trained"},
		{training{Vocabulary: []string{"in", "7ft"}}, "vocabulary", `word 2, "7ft", is cut into 2 pieces`},
		{training{Tokenizer: text("{}")}, "tokenizer", "no post-processor"},
		{training{Tokenizer: text("models/tokenizer.json")}, "tokenizer", `it is no JSON: write tokenizer = file("models/tokenizer.json")`},
		{training{Tokenizer: text(strings.Repeat(" ", 1<<20+1))}, "tokenizer", "has 1048577 bytes; at most 1048576"},
	} {
		c.config.Preset = preset
		ds := trainerConfig{training: c.config}.Validate()
		if len(ds) == 0 || ds[0].Attribute[0].GetName() != c.attribute || !strings.Contains(ds[0].Detail, c.want) {
			t.Errorf("%+v: %v, want one at %s with %q", c.config, ds, c.attribute, c.want)
		}
	}
}
