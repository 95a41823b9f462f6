package fake

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	pluginv1 "jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
	"jupiter/plugins/sdk/sdktest"
)

func TestAnswersAreNested(t *testing.T) {
	t.Parallel()
	const n = 4000
	right := func(quality float64) map[int]bool {
		known := map[int]bool{}
		for i := range n {
			if p := Prompt(uint64(i)); answer(p, quality, 0) == fmt.Sprint(i) {
				known[i] = true
			}
		}
		return known
	}
	weak, strong := right(0.3), right(0.6)
	for i := range weak {
		if !strong[i] {
			t.Fatalf("the weaker model knows %d and the stronger does not", i)
		}
	}
	for quality, known := range map[float64]map[int]bool{0.3: weak, 0.6: strong} {
		if got := float64(len(known)) / n; got < quality-0.03 || got > quality+0.03 {
			t.Errorf("a model of quality %g answers %.3f rightly", quality, got)
		}
	}
	if len(right(0)) != 0 || len(right(1)) != n {
		t.Error("qualities 0 and 1 are not never and always")
	}
}

// TestPipeline runs the stages after one another, as the core does: collect, train, export, generate, verify, answer.
func TestPipeline(t *testing.T) {
	t.Parallel()
	conn := sdktest.Open(t, Plugin("1.0.0"))

	call := conn.Call(t, pluginv1.Kind_KIND_COLLECTOR, "fake", map[string]any{"n": 40, "batch": 7})
	collected, err := conn.Collector.Collect(t.Context(), &pluginv1.CollectRequest{Call: call})
	if err != nil {
		t.Fatal(err)
	}
	events, err := sdktest.All(collected)
	if err != nil {
		t.Fatal(err)
	}
	dataset := filepath.Join(t.TempDir(), "data.jsonl.zst")
	w, err := sdk.CreateRecords(dataset)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		for _, r := range e.GetBatch().GetRecords() {
			if err := w.Write(r); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}

	call = conn.Call(t, pluginv1.Kind_KIND_TRAINER, "fake", map[string]any{"quality": 0.2, "gain": 0.05, "batch_size": 4})
	training, err := conn.Trainer.Train(t.Context(), &pluginv1.TrainRequest{Call: call, Dataset: &sdk.Artifact{Path: dataset}, ToStep: 10, WindowEnd: 10, SaveEverySteps: 4})
	if err != nil {
		t.Fatal(err)
	}
	trained, err := sdktest.All(training)
	if err != nil {
		t.Fatal(err)
	}
	var steps []uint64
	var checkpoint string
	for _, e := range trained {
		if cp := e.GetCheckpoint(); cp != nil {
			steps = append(steps, cp.Step)
			checkpoint = filepath.Join(call.WorkDir, cp.Output.Path)
		}
	}
	if diff := cmp.Diff([]uint64{4, 8, 10}, steps); diff != "" {
		t.Errorf("checkpoints (-want +got):\n%s", diff)
	}

	call = conn.Call(t, pluginv1.Kind_KIND_EXPORTER, "fake", nil)
	exporting, err := conn.Exporter.Export(t.Context(), &pluginv1.ExportRequest{Call: call, Checkpoint: &sdk.Artifact{Path: checkpoint}})
	if err != nil {
		t.Fatal(err)
	}
	exported, err := sdktest.All(exporting)
	if err != nil || len(exported) != 1 {
		t.Fatalf("%d outputs, %v", len(exported), err)
	}
	file := &sdk.Artifact{Path: filepath.Join(call.WorkDir, exported[0].GetOutput().Path)}
	if m, err := readModel(file); err != nil || m.Step != 10 || m.Quality < 0.69 || m.Quality > 0.71 {
		t.Fatalf("model %+v, %v; want step 10, quality 0.7", m, err)
	}

	right := passRate(t, conn, file)
	if right < 0.65 || right > 0.75 {
		t.Errorf("%.3f of the samples of a model of quality 0.7 are right", right)
	}
	if base := passRate(t, conn, nil); base < 0.45 || base > 0.55 {
		t.Errorf("%.3f of the samples of the base generator of quality 0.5 are right", base)
	}
}

// passRate generates 2000 samples and verifies them.
func passRate(t *testing.T, conn *sdktest.Conn, file *sdk.Artifact) float64 {
	t.Helper()
	call := conn.Call(t, pluginv1.Kind_KIND_GENERATOR, "fake", nil)
	gen, err := conn.Generator.Generate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := gen.Send(&pluginv1.GenerateRequest{Call: call, Model: file, Sets: []*sdk.PromptSet{{Template: "t", Samples: 2000}}}); err != nil {
		t.Fatal(err)
	}
	if err := gen.CloseSend(); err != nil {
		t.Fatal(err)
	}
	events, err := sdktest.All(gen)
	if err != nil {
		t.Fatal(err)
	}
	total, right := 0, 0
	for _, e := range events {
		for _, r := range e.GetBatch().GetRecords() {
			j := judge(&sdk.VerifyItem{Text: r.Text}, 1)
			if !j.WellFormed || j.Key == "" || j.Question+j.Answer != r.Text {
				t.Fatalf("sample %q is judged %v", r.Text, j)
			}
			total++
			if j.AnswerOk {
				right++
			}
		}
	}
	if total != 2000 {
		t.Fatalf("%d samples, want 2000", total)
	}
	return float64(right) / float64(total)
}

func TestGenerateResumes(t *testing.T) {
	t.Parallel()
	texts := func(start, n uint64) []string {
		var out []string
		req := &sdk.GenerateRequest{Sets: []*sdk.PromptSet{{Template: "t", StartIndex: start, Samples: n}}}
		err := generator{}.Generate(t.Context(), &sdk.Call{Seed: 5}, generatorConfig{Range: 1000, Batch: 3}, req, func(b *sdk.RecordBatch) error {
			for _, r := range b.Records {
				out = append(out, r.Text)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	if diff := cmp.Diff(texts(0, 20), append(texts(0, 8), texts(8, 12)...)); diff != "" {
		t.Errorf("two parts differ from the whole (-whole +parts):\n%s", diff)
	}
}

func TestCollectorResumesAfterAFault(t *testing.T) {
	t.Parallel()
	conn := sdktest.Open(t, Plugin("1.0.0"))
	config := map[string]any{"n": 25, "batch": 10, "fail_at": 18, "once": filepath.Join(t.TempDir(), "once")}
	run := func(cursor []byte) ([]string, []byte, error) {
		call := conn.Call(t, pluginv1.Kind_KIND_COLLECTOR, "fake", config)
		call.Cursor = cursor
		stream, err := conn.Collector.Collect(t.Context(), &pluginv1.CollectRequest{Call: call})
		if err != nil {
			t.Fatal(err)
		}
		events, err := sdktest.All(stream)
		var texts []string
		for _, e := range events {
			for _, r := range e.GetBatch().GetRecords() {
				texts = append(texts, r.Text)
			}
			if c := e.GetBatch().GetCursor(); c != nil {
				cursor = c
			}
		}
		return texts, cursor, err
	}
	first, cursor, err := run(nil)
	if err == nil || !strings.Contains(err.Error(), "item 18") {
		t.Fatalf("error %v, want a fault at item 18", err)
	}
	rest, _, err := run(cursor)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for i := range 25 {
		want = append(want, fmt.Sprint(i))
	}
	if diff := cmp.Diff(want, append(first, rest...)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTrainerWantsItsData(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "short.jsonl")
	w, err := sdk.CreateRecords(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 11 {
		if err := w.Write(&sdk.Record{Text: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	call := &sdk.Call{WorkDir: t.TempDir()}
	req := &sdk.TrainRequest{Dataset: &sdk.Artifact{Path: path}, ToStep: 3, WindowEnd: 3}
	err = trainer{}.Train(t.Context(), call, trainerConfig{BatchSize: 4}, req, func(*sdk.Checkpoint) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "step 3") {
		t.Errorf("error %v, want step 3 to miss records", err)
	}
}

func TestTrainerStops(t *testing.T) {
	t.Parallel()
	stopped := make(chan struct{})
	close(stopped)
	path := filepath.Join(t.TempDir(), "data.jsonl")
	w, err := sdk.CreateRecords(path)
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if err := w.Write(&sdk.Record{Text: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var steps []uint64
	call := &sdk.Call{WorkDir: t.TempDir(), Stopped: stopped}
	req := &sdk.TrainRequest{Dataset: &sdk.Artifact{Path: path}, FromStep: 5, ToStep: 20, WindowEnd: 20}
	err = trainer{}.Train(t.Context(), call, trainerConfig{BatchSize: 4}, req, func(c *sdk.Checkpoint) error {
		steps = append(steps, c.Step)
		return nil
	})
	if err != nil || steps != nil {
		t.Errorf("checkpoints %v, error %v; want none: not a step was made", steps, err)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	at := func(n uint64) *uint64 { return &n }
	if err := (Faults{FailAt: at(3)}).before(t.Context(), 2); err != nil {
		t.Errorf("item 2 fails: %v", err)
	}
	if err := (Faults{FailAt: at(3)}).before(t.Context(), 3); !errors.Is(err, ErrFault) {
		t.Errorf("item 3: %v", err)
	}
	once := Faults{FailAt: at(3), Once: filepath.Join(t.TempDir(), "once")}
	if err := once.before(t.Context(), 3); !errors.Is(err, ErrFault) {
		t.Errorf("first time: %v", err)
	}
	if err := once.before(t.Context(), 3); err != nil {
		t.Errorf("second time: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	hung := make(chan error, 1)
	go func() { hung <- (Faults{HangAt: at(1)}).before(ctx, 1) }()
	select {
	case err := <-hung:
		t.Errorf("a hanging item came back: %v", err)
	default:
	}
	cancel()
	if err := <-hung; !errors.Is(err, context.Canceled) {
		t.Errorf("a hanging item ended with %v", err)
	}
}

// TestExit runs this test's binary again, in which the fault ends the process.
func TestExit(t *testing.T) {
	if os.Getenv("FAKE_TEST_EXIT") == "1" {
		n := uint64(7)
		_ = (Faults{ExitAt: &n}).before(t.Context(), 7)
		t.Fatal("the process goes on")
	}
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestExit$")
	cmd.Env = append(os.Environ(), "FAKE_TEST_EXIT=1")
	err := cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 3 {
		t.Errorf("the process ended with %v, want status 3", err)
	}
}

func TestScoreFollowsTheAnswer(t *testing.T) {
	t.Parallel()
	for _, quality := range []float64{0, 0.5, 1} {
		for i := range uint64(50) {
			p := Prompt(i)
			item := &sdk.LikelihoodItem{Prompt: p, Continuations: []string{fmt.Sprint(i), fmt.Sprint(i + 1), fmt.Sprint(i + 2)}, End: true}
			err := generator{}.Score(t.Context(), &sdk.Call{}, generatorConfig{Quality: quality}, nil, []*sdk.LikelihoodItem{item}, func(e *sdk.LikelihoodEvent) error {
				right := e.Likelihoods[0].SumLogprob > e.Likelihoods[1].SumLogprob
				if says := answer(p, quality, 0) == fmt.Sprint(i); says != right {
					t.Errorf("quality %g, %s: answers rightly %v, finds the right answer likelier %v", quality, p, says, right)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestLimit: a call ends at the tokens that the host allows, with what it has, and says what it used.
func TestLimit(t *testing.T) {
	t.Parallel()
	conn := sdktest.Open(t, Plugin("1.0.0"))
	call := conn.Call(t, pluginv1.Kind_KIND_GENERATOR, "fake", map[string]any{"tokens": 4})
	call.Limit = &pluginv1.Limit{Tokens: 100}
	gen, err := conn.Generator.Generate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := gen.Send(&pluginv1.GenerateRequest{Call: call, Sets: []*sdk.PromptSet{{Template: "t", Samples: 2000}}}); err != nil {
		t.Fatal(err)
	}
	if err := gen.CloseSend(); err != nil {
		t.Fatal(err)
	}
	events, err := sdktest.All(gen)
	if err != nil {
		t.Fatal(err)
	}
	samples, last := 0, events[len(events)-1].GetProgress().GetUsage()
	for _, e := range events {
		samples += len(e.GetBatch().GetRecords())
	}
	if samples != 20 || last.GetPromptTokens() != 20 || last.GetCompletionTokens() != 80 {
		t.Errorf("%d samples, last report %v; want 20 samples of 5 tokens", samples, last)
	}
}
