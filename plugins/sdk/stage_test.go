package sdk_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	pluginv1 "jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
	"jupiter/plugins/sdk/sdktest"
)

// config tells the test's stages what to do.
type config struct {
	Mode string `jupiter:"mode" default:"\"good\""`
	N    int    `jupiter:"n" default:"3"`
}

func (c *config) Validate() []*sdk.Diagnostic {
	if c.N > 5 {
		return []*sdk.Diagnostic{sdk.Warning("Many", "More than 5.", "n"), sdk.Error("Bad", "x", "list", "2", "key")}
	}
	return nil
}

func (c config) ValidateModels() []*sdk.Diagnostic {
	if c.Mode == "served" {
		return []*sdk.Diagnostic{sdk.Error("No models", "A server runs none.", "mode")}
	}
	return nil
}

func (c config) Estimate(req *sdk.EstimateRequest) (*sdk.EstimateResponse, error) {
	return &sdk.EstimateResponse{PromptTokens: float64(req.Items) * float64(c.N)}, nil
}

func (c config) Fingerprint(context.Context) (string, error) {
	if c.Mode == "error" {
		return "", errors.New("unreachable")
	}
	return c.Mode, nil
}

func (c config) Check(context.Context) []*sdk.Finding {
	return []*sdk.Finding{{Subject: "mode", Level: pluginv1.Finding_LEVEL_OK, Detail: c.Mode}}
}

var (
	collectorKind = pluginv1.Kind_KIND_COLLECTOR
	generatorKind = pluginv1.Kind_KIND_GENERATOR
	trainerKind   = pluginv1.Kind_KIND_TRAINER
)

func text(i, size int) *sdk.Record {
	s := strconv.Itoa(i)
	return &sdk.Record{Text: s + strings.Repeat("x", max(0, size-len(s)))}
}

func plugin() sdk.Plugin {
	o := sdk.Options{Revision: 3, Features: []string{"score"}, Concurrent: true}
	return sdk.Plugin{Name: "test", Version: "0.1.0", Stages: []sdk.Stage{
		sdk.Collector("c", o, collect),
		sdk.Filter("f", o, func(_ context.Context, c *sdk.Call, cfg config) (sdk.Judge, error) { return &judge{cfg: cfg}, nil }),
		sdk.Verifier("v", o, verifier),
		sdk.Generator("g", o, generator{}),
		sdk.Trainer("t", o, trainer{}),
		sdk.Evaluator("e", o, evaluator{}),
		sdk.Exporter("x", o, export),
	}}
}

func collect(ctx context.Context, c *sdk.Call, cfg config, emit func(*sdk.RecordBatch) error) error {
	switch cfg.Mode {
	case "error":
		return errors.New("no such source")
	case "unavailable":
		return status.Error(codes.Unavailable, "the server is down")
	case "canceled":
		return fmt.Errorf("read: %w", context.Canceled)
	case "panic below":
		return errors.New(strings.Repeat("x", min(-1, len(cfg.Mode))))
	case "panic":
		var none []int
		return fmt.Errorf("element %d", none[len(cfg.Mode)])
	case "utf8":
		return emit(&sdk.RecordBatch{Records: []*sdk.Record{{}, {Text: "\xff"}}})
	case "huge":
		return emit(&sdk.RecordBatch{Records: []*sdk.Record{text(0, 3<<20+1)}})
	case "stop":
		c.Progress(1, 2, "records", map[string]float64{"rate": 0.5})
		c.Warn("Slow", "The source is slow.", "mode")
		<-c.Stopped
		return emit(&sdk.RecordBatch{Cursor: []byte("here")})
	case "leak": // a goroutine that outlives its call
		go func() {
			for range 1000 {
				c.Progress(1, 1, "records", nil)
			}
		}()
		return nil
	case "parallel":
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 50 {
					c.Progress(1, 1, "records", nil)
				}
			})
		}
		defer wg.Wait()
	}
	b := &sdk.RecordBatch{Cursor: []byte("end")}
	for i := range cfg.N {
		b.Records = append(b.Records, text(i, 300<<10))
	}
	return emit(b)
}

type judge struct {
	cfg  config
	seen int
}

func (j *judge) Refer(records []*sdk.Record) error { j.seen += len(records); return nil }

func (j *judge) Judge(records []*sdk.Record) ([]*sdk.Verdict, error) {
	if j.cfg.Mode == "short" {
		records = records[1:]
	}
	var out []*sdk.Verdict
	for i, r := range records {
		v := &sdk.Verdict{Keep: len(r.Text)%2 == 0, Score: float64(j.seen + i), Reason: j.cfg.Mode}
		if j.cfg.Mode == "swap" {
			v.Id = "someone else"
		}
		out = append(out, v)
	}
	return out, nil
}

func (j *judge) Close() error {
	if j.cfg.Mode == "unclosable" {
		return errors.New("cannot close")
	}
	return nil
}

func verifier(_ context.Context, c *sdk.Call, cfg config) (func([]*sdk.VerifyItem) ([]*sdk.Judgement, error), error) {
	if cfg.Mode == "nil" {
		return nil, nil
	}
	return func(items []*sdk.VerifyItem) ([]*sdk.Judgement, error) {
		c.Warn("Note", "")
		out := make([]*sdk.Judgement, len(items))
		for i, it := range items {
			out[i] = &sdk.Judgement{AnswerOk: it.Text == "ok", Reason: strings.Repeat("r", cfg.N)}
		}
		return out, nil
	}, nil
}

type generator struct{}

func (generator) Generate(_ context.Context, c *sdk.Call, cfg config, req *sdk.GenerateRequest, emit func(*sdk.RecordBatch) error) error {
	b := &sdk.RecordBatch{}
	for _, s := range req.Sets {
		b.Records = append(b.Records, &sdk.Record{Text: fmt.Sprint(s.Template, s.StartIndex, len(s.Prompts), c.Seed)})
	}
	return emit(b)
}

func (generator) Complete(_ context.Context, _ *sdk.Call, cfg config, model *sdk.Artifact, s *sdk.Sampling, prompts []*sdk.Prompt, emit func(*sdk.Completion) error) error {
	for i, p := range prompts {
		m := &sdk.Completion{Text: p.Text}
		switch {
		case cfg.Mode == "short" && i == cfg.N:
			return nil
		case cfg.Mode == "swap":
			m.PromptId = "z"
		case cfg.Mode == "huge":
			m.Text = strings.Repeat("x", 5<<20)
		}
		if err := emit(m); err != nil {
			return err
		}
	}
	if cfg.Mode == "more" {
		return emit(&sdk.Completion{})
	}
	return nil
}

// Stream shows the first half of each text.
func (g generator) Stream(ctx context.Context, c *sdk.Call, cfg config, m *sdk.Artifact, s *sdk.Sampling, prompts []*sdk.Prompt, piece func(*sdk.Piece) error, emit func(*sdk.Completion) error) error {
	for _, p := range prompts {
		if err := piece(&sdk.Piece{PromptId: p.Id, Text: p.Text[:len(p.Text)/2], Tokens: []*sdk.Token{{Id: 7, Text: []byte("\xe4"), Logprob: -1}}}); err != nil {
			return err
		}
	}
	return g.Complete(ctx, c, cfg, m, s, prompts, emit)
}

func (generator) Score(_ context.Context, _ *sdk.Call, cfg config, _ *sdk.Artifact, items []*sdk.LikelihoodItem, emit func(*sdk.LikelihoodEvent) error) error {
	for _, it := range items {
		e := &sdk.LikelihoodEvent{}
		for range it.Continuations {
			e.Likelihoods = append(e.Likelihoods, &sdk.Likelihood{SumLogprob: -1})
		}
		if cfg.Mode == "short" {
			e.Likelihoods = e.Likelihoods[1:]
		}
		if err := emit(e); err != nil {
			return err
		}
	}
	return nil
}

type trainer struct{}

func (trainer) Train(_ context.Context, c *sdk.Call, cfg config, req *sdk.TrainRequest, emit func(*sdk.Checkpoint) error) error {
	path := filepath.Join(c.WorkDir, "cp")
	if err := os.Mkdir(path, 0o755); err != nil {
		return err
	}
	cp := &sdk.Checkpoint{Step: req.ToStep, Output: &sdk.Output{Name: "cp", Path: path}, Cursor: []byte("c")}
	switch cfg.Mode {
	case "escape":
		cp.Output.Path = "../cp"
	case "missing":
		cp.Output.Path = "none"
	case "nameless":
		cp.Output.Name = ""
	case "past":
		cp.Step++
	case "back":
		if err := emit(cp); err != nil {
			return err
		}
		cp.Step--
	}
	return emit(cp)
}

func (trainer) Estimate(cfg config, req *sdk.EstimateRequest) (*sdk.EstimateResponse, error) {
	if cfg.Mode == "nil" {
		return nil, nil
	}
	return &sdk.EstimateResponse{Records: req.Items * uint64(cfg.N)}, nil
}

type evaluator struct{}

func (evaluator) Prepare(_ context.Context, c *sdk.Call, cfg config, req *sdk.PrepareRequest, emit func([]*sdk.Question) error) error {
	var qs []*sdk.Question
	for i := range req.Samples {
		qs = append(qs, &sdk.Question{Key: fmt.Sprint(i), Reference: strings.Repeat("x", 10<<10)})
	}
	return emit(qs)
}

func (evaluator) Score(_ context.Context, c *sdk.Call, cfg config, answers []*sdk.Answer) ([]*sdk.QuestionScore, error) {
	c.Warn("Few", "Only a few answers.")
	var out []*sdk.QuestionScore
	for _, a := range answers {
		out = append(out, &sdk.QuestionScore{PromptId: a.Completion.PromptId, Accuracy: proto.Float64(1), Reasons: []string{strings.Repeat("r", cfg.N)}})
	}
	return out, nil
}

func export(_ context.Context, c *sdk.Call, cfg config, cp *sdk.Artifact, emit func(*sdk.Output) error) error {
	if err := os.WriteFile(filepath.Join(c.WorkDir, "model"), []byte(cp.Path+c.Base.GetPath()), 0o644); err != nil {
		return err
	}
	if cfg.Mode == "twice" {
		if err := emit(&sdk.Output{Name: "model", Path: "model"}); err != nil {
			return err
		}
	}
	return emit(&sdk.Output{Name: "model", Path: "model", MediaType: sdk.GGUFMediaType})
}

// wantError checks an error's code and that its message has a text in it.
func wantError(t *testing.T, err error, code codes.Code, text string) {
	t.Helper()
	if s := status.Convert(err); s.Code() != code || !strings.Contains(s.Message(), text) {
		t.Errorf("%v, want %v: %s", err, code, text)
	}
}

func mode(m string, n int) map[string]any { return map[string]any{"mode": m, "n": n} }

func TestCollector(t *testing.T) {
	t.Parallel()
	conn := sdktest.Open(t, plugin())
	run := func(m string, n int) ([]*pluginv1.CollectEvent, error) {
		s, err := conn.Collector.Collect(t.Context(), &pluginv1.CollectRequest{Call: conn.Call(t, collectorKind, "c", mode(m, n))})
		if err != nil {
			t.Fatal(err)
		}
		return sdktest.All(s)
	}
	events, err := run("good", 10) // 3 MiB in batches of at most 1 MiB, the cursor at the end
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for i, e := range events {
		if size := proto.Size(e); size > 1<<20 {
			t.Errorf("batch %d has %d bytes", i, size)
		}
		for _, r := range e.GetBatch().Records {
			if !strings.HasPrefix(r.Text, strconv.Itoa(n)+"x") {
				t.Errorf("record %d is %.10s", n, r.Text)
			}
			n++
		}
		if got, last := string(e.GetBatch().Cursor), i == len(events)-1; last != (got == "end") || !last && got != "" {
			t.Errorf("cursor of batch %d of %d is %q", i, len(events), got)
		}
	}
	if n != 10 || len(events) != 4 {
		t.Errorf("%d records in %d batches, want 10 in 4", n, len(events))
	}
	for _, tt := range []struct {
		mode string
		code codes.Code
		text string
	}{
		{"error", codes.Unknown, "no such source"},
		{"unavailable", codes.Unknown, "the server is down"},
		{"canceled", codes.Unknown, "read: context canceled"},
		{"panic below", codes.Internal, "panic at stage_test.go:94: strings: negative Repeat count"},
		{"panic", codes.Internal, "panic at stage_test.go:97: runtime error: index out of range"},
		{"utf8", codes.InvalidArgument, "record 1 of the batch: its text is not valid UTF-8"},
		{"huge", codes.InvalidArgument, "record 0 of the batch: is 3145734 bytes, and a record holds at most 3145728"},
	} {
		_, err := run(tt.mode, 1)
		wantError(t, err, tt.code, tt.text)
	}
	if _, err := run("leak", 1); err != nil {
		t.Error(err)
	}
	if events, err := run("parallel", 1); err != nil || len(events) != 401 {
		t.Errorf("%d events, %v", len(events), err)
	}
	s, err := conn.Collector.Collect(t.Context(), &pluginv1.CollectRequest{Call: &pluginv1.Call{Stage: "zz"}})
	if err == nil {
		_, err = s.Recv()
	}
	wantError(t, err, codes.NotFound, `no stage "zz" of KIND_COLLECTOR; it has [c]`)
}

func TestStopOneCallOrAll(t *testing.T) {
	t.Parallel()
	conn := sdktest.Open(t, plugin())
	var streams []sdktest.Stream[pluginv1.CollectEvent]
	for _, id := range []string{"a", "b", "c"} {
		call := conn.Call(t, collectorKind, "c", mode("stop", 1))
		call.Id = id
		s, err := conn.Collector.Collect(t.Context(), &pluginv1.CollectRequest{Call: call})
		if err != nil {
			t.Fatal(err)
		}
		p, err := s.Recv()
		if err != nil {
			t.Fatal(err)
		}
		want := &pluginv1.Progress{Done: 1, Total: 2, Unit: "records", Metrics: map[string]float64{"rate": 0.5}}
		if diff := cmp.Diff(want, p.GetProgress(), protocmp.Transform()); diff != "" {
			t.Errorf("progress (-want +got):\n%s", diff)
		}
		w, err := s.Recv()
		if err != nil || w.GetDiagnostic().GetSummary() != "Slow" || w.GetDiagnostic().Attribute[0].GetName() != "mode" {
			t.Errorf("warning: %v, %v", w, err)
		}
		streams = append(streams, s)
	}
	for id, i := range map[string]int{"b": 1} {
		if _, err := conn.Plugin.Stop(t.Context(), &pluginv1.StopRequest{CallId: id}); err != nil {
			t.Fatal(err)
		}
		if e, err := sdktest.All(streams[i]); err != nil || string(e[0].GetBatch().GetCursor()) != "here" {
			t.Errorf("stopped call: %v, %v", e, err)
		}
	}
	for range 2 { // a second Stop changes nothing
		if _, err := conn.Plugin.Stop(t.Context(), &pluginv1.StopRequest{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, i := range []int{0, 2} {
		if e, err := sdktest.All(streams[i]); err != nil || len(e) != 1 {
			t.Errorf("stopped call: %v, %v", e, err)
		}
	}
}

func TestFilter(t *testing.T) {
	t.Parallel()
	conn := sdktest.Open(t, plugin())
	run := func(m string, msgs ...*pluginv1.FilterRequest) ([]*sdk.Verdict, error) {
		s, err := conn.Filter.Filter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		call := conn.Call(t, pluginv1.Kind_KIND_FILTER, "f", mode(m, 1))
		for _, m := range append([]*pluginv1.FilterRequest{{Message: &pluginv1.FilterRequest_Call{Call: call}}}, msgs...) {
			if err := s.Send(m); err != nil && err != io.EOF {
				t.Fatal(err)
			}
		}
		if err := s.CloseSend(); err != nil {
			t.Fatal(err)
		}
		events, err := sdktest.All(s)
		var all []*sdk.Verdict
		for _, e := range events {
			if proto.Size(e) > 1<<20+64 {
				t.Errorf("verdicts of %d bytes in one message", proto.Size(e))
			}
			all = append(all, e.GetVerdicts().GetVerdicts()...)
		}
		return all, err
	}
	batch := func(ids ...string) *pluginv1.FilterRequest {
		b := &sdk.RecordBatch{}
		for _, id := range ids {
			b.Records = append(b.Records, &sdk.Record{Id: id, Text: id})
		}
		return &pluginv1.FilterRequest{Message: &pluginv1.FilterRequest_Batch{Batch: b}}
	}
	reference := &pluginv1.FilterRequest{Message: &pluginv1.FilterRequest_Reference{Reference: batch("r1", "r2").GetBatch()}}
	got, err := run("good", reference, batch("a", "bb"), batch("c"))
	if err != nil {
		t.Fatal(err)
	}
	want := []*sdk.Verdict{
		{Id: "a", Score: 2, Reason: "good"}, {Id: "bb", Keep: true, Score: 3, Reason: "good"}, {Id: "c", Score: 2, Reason: "good"},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
	// Small records have larger verdicts: those of one batch must not burst a message.
	var many []string
	for i := range 100000 {
		many = append(many, strconv.Itoa(i))
	}
	if got, err := run(strings.Repeat("long reason ", 8), batch(many...)); err != nil || len(got) != len(many) || got[99999].Id != "99999" {
		t.Errorf("%d verdicts, %v", len(got), err)
	}
	_, err = run("short", batch("a", "b"))
	wantError(t, err, codes.Internal, "the stage breaks the protocol: 1 verdicts on 2 records")
	_, err = run("swap", batch("a"))
	wantError(t, err, codes.Internal, `verdict 0 is for "someone else" where "a" is next`)
	_, err = run("good", batch("a"), reference)
	wantError(t, err, codes.InvalidArgument, "reference records after records to judge")
	_, err = run("good", &pluginv1.FilterRequest{})
	wantError(t, err, codes.InvalidArgument, "unexpected message")
	_, err = run("unclosable", batch("a"))
	wantError(t, err, codes.Unknown, "cannot close")
	s, err := conn.Filter.Filter(t.Context())
	if err == nil && s.CloseSend() == nil {
		_, err = s.Recv()
	}
	wantError(t, err, codes.InvalidArgument, "the stream ended before its first message")
}

// A filter that waits for more records returns when its call is stopped.
func TestStopWhileReceiving(t *testing.T) {
	t.Parallel()
	conn := sdktest.Open(t, plugin())
	s, err := conn.Filter.Filter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	call := conn.Call(t, pluginv1.Kind_KIND_FILTER, "f", nil)
	if err := s.Send(&pluginv1.FilterRequest{Message: &pluginv1.FilterRequest_Call{Call: call}}); err != nil {
		t.Fatal(err)
	}
	b := &pluginv1.FilterRequest{Message: &pluginv1.FilterRequest_Batch{Batch: &sdk.RecordBatch{Records: []*sdk.Record{{}}}}}
	if err := s.Send(b); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Recv(); err != nil { // the call runs
		t.Fatal(err)
	}
	if _, err := conn.Plugin.Stop(t.Context(), &pluginv1.StopRequest{CallId: call.Id}); err != nil {
		t.Fatal(err)
	}
	if e, err := s.Recv(); err != io.EOF {
		t.Errorf("%v, %v, want the end", e, err)
	}
}

func TestVerifier(t *testing.T) {
	t.Parallel()
	conn := sdktest.Open(t, plugin())
	run := func(m string, n int, items ...*sdk.VerifyItem) (got []*sdk.Judgement, warnings int, err error) {
		s, err := conn.Verifier.Verify(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		call := conn.Call(t, pluginv1.Kind_KIND_VERIFIER, "v", mode(m, n))
		for _, r := range []*pluginv1.VerifyRequest{
			{Message: &pluginv1.VerifyRequest_Call{Call: call}},
			{Message: &pluginv1.VerifyRequest_Batch{Batch: &pluginv1.VerifyBatch{Items: items}}},
		} {
			if err := s.Send(r); err != nil && err != io.EOF {
				t.Fatal(err)
			}
		}
		if err := s.CloseSend(); err != nil {
			t.Fatal(err)
		}
		events, err := sdktest.All(s)
		for _, e := range events {
			got, warnings = append(got, e.Judgements...), warnings+len(e.Diagnostics)
		}
		return got, warnings, err
	}
	got, warnings, err := run("good", 1, &sdk.VerifyItem{Id: "1", Text: "ok"}, &sdk.VerifyItem{Id: "2"})
	want := []*sdk.Judgement{{Id: "1", AnswerOk: true, Reason: "r"}, {Id: "2", Reason: "r"}}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" || warnings != 1 || err != nil {
		t.Errorf("judgements, %d warnings, %v (-want +got):\n%s", warnings, err, diff)
	}
	items := make([]*sdk.VerifyItem, 300)
	if got, _, err := run("good", 20<<10, items...); err != nil || len(got) != 300 {
		t.Errorf("%d judgements, %v", len(got), err)
	}
	_, _, err = run("nil", 1)
	wantError(t, err, codes.Internal, "its verifier has no function and no error")
}

func TestGenerator(t *testing.T) {
	t.Parallel()
	conn := sdktest.Open(t, plugin())
	call := func(m string, n int) *pluginv1.Call {
		c := conn.Call(t, generatorKind, "g", mode(m, n))
		c.Seed = 7
		return c
	}
	prompts := func(n, size int) (ps []*sdk.Prompt) {
		for i := range n {
			ps = append(ps, &sdk.Prompt{Id: strconv.Itoa(i), Text: strings.Repeat("p", size)})
		}
		return ps
	}
	// A set that is cut in parts is whole again; a set of the same template that starts elsewhere stays apart.
	req := &sdk.GenerateRequest{Call: call("good", 1), Sampling: &sdk.Sampling{TopK: 1}, Sets: []*sdk.PromptSet{
		{Template: "a", Prompts: prompts(60, 100<<10), Samples: 60}, {Template: "a", StartIndex: 60, Prompts: prompts(2, 1)}, {Template: "empty"},
	}}
	parts, err := sdk.Parts(req)
	if err != nil || len(parts) < 6 {
		t.Fatalf("%d parts, %v", len(parts), err)
	}
	s, err := conn.Generator.Generate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range parts {
		if err := s.Send(p.(*sdk.GenerateRequest)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.CloseSend(); err != nil {
		t.Fatal(err)
	}
	events, err := sdktest.All(s)
	if err != nil || len(events) != 1 {
		t.Fatalf("%v, %v", events, err)
	}
	var got []string
	for _, r := range events[0].GetBatch().Records {
		got = append(got, r.Text)
	}
	if diff := cmp.Diff([]string{"a0 60 7", "a60 2 7", "empty0 0 7"}, got); diff != "" {
		t.Errorf("sets (-want +got):\n%s", diff)
	}

	complete := func(m string, n int) (int, error) {
		s, err := conn.Generator.Complete(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		parts, err := sdk.Parts(&pluginv1.CompleteRequest{Call: call(m, n), Prompts: prompts(50, 100<<10)})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range parts {
			if err := s.Send(p.(*pluginv1.CompleteRequest)); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.CloseSend(); err != nil {
			t.Fatal(err)
		}
		events, err := sdktest.All(s)
		for i, e := range events {
			if e.GetCompletion().PromptId != strconv.Itoa(i) {
				t.Errorf("completion %d is of prompt %q", i, e.GetCompletion().PromptId)
			}
		}
		return len(events), err
	}
	if n, err := complete("good", 1); n != 50 || err != nil {
		t.Errorf("%d completions, %v", n, err)
	}
	_, err = complete("short", 2)
	wantError(t, err, codes.Internal, "48 of 50 prompts have no answer")
	_, err = complete("more", 2)
	wantError(t, err, codes.Internal, "more completions than the 50 prompts")
	_, err = complete("swap", 2)
	wantError(t, err, codes.Internal, `completion 0 is for "z" where "0" is next`)
	_, err = complete("huge", 2)
	wantError(t, err, codes.ResourceExhausted, `the completion of prompt "0": 52428`)

	read := func(req *pluginv1.CompleteRequest) (pieces []*sdk.Piece, whole int, err error) {
		s, err := conn.Generator.Complete(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		req.Call = call("good", 1)
		parts, err := sdk.Parts(req)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range parts {
			if err := s.Send(p.(*pluginv1.CompleteRequest)); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.CloseSend(); err != nil {
			t.Fatal(err)
		}
		events, err := sdktest.All(s)
		for _, e := range events {
			if p := e.GetPiece(); p != nil {
				pieces = append(pieces, p)
			} else if e.GetCompletion() != nil {
				whole++
			}
		}
		return pieces, whole, err
	}
	pieces, whole, err := read(&pluginv1.CompleteRequest{Prompts: prompts(50, 100<<10), Stream: true})
	if err != nil || len(pieces) != 50 || whole != 50 || pieces[3].PromptId != "3" || len(pieces[3].Text) != 50<<10 || string(pieces[3].Tokens[0].Text) != "\xe4" {
		t.Errorf("%d pieces and %d completions, %v", len(pieces), whole, err)
	}
	_, _, err = read(&pluginv1.CompleteRequest{Prompts: []*sdk.Prompt{{Id: "a", Messages: []*sdk.Message{{Role: "user", Content: "x"}}}}})
	wantError(t, err, codes.Unimplemented, "takes no chats")

	score := func(m string) ([]*sdk.LikelihoodEvent, error) {
		s, err := conn.Generator.Score(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		items := []*sdk.LikelihoodItem{{PromptId: "p", Continuations: []string{"a", "b"}}}
		if err := s.Send(&pluginv1.LikelihoodRequest{Call: call(m, 1), Items: items}); err != nil {
			t.Fatal(err)
		}
		if err := s.CloseSend(); err != nil {
			t.Fatal(err)
		}
		return sdktest.All(s)
	}
	if e, err := score("good"); err != nil || len(e) != 1 || e[0].PromptId != "p" || len(e[0].Likelihoods) != 2 {
		t.Errorf("scores: %v, %v", e, err)
	}
	_, err = score("short")
	wantError(t, err, codes.Internal, `1 likelihoods for the 2 continuations of "p"`)
}

func TestTrainerAndExporter(t *testing.T) {
	t.Parallel()
	conn := sdktest.Open(t, plugin())
	train := func(m string) ([]*pluginv1.TrainEvent, error) {
		s, err := conn.Trainer.Train(t.Context(), &sdk.TrainRequest{Call: conn.Call(t, trainerKind, "t", mode(m, 1)), FromStep: 10, ToStep: 20})
		if err != nil {
			t.Fatal(err)
		}
		return sdktest.All(s)
	}
	events, err := train("good")
	want := []*pluginv1.TrainEvent{{Event: &pluginv1.TrainEvent_Checkpoint{Checkpoint: &sdk.Checkpoint{Step: 20, Cursor: []byte("c"), Output: &sdk.Output{Name: "cp", Path: "cp"}}}}}
	if diff := cmp.Diff(want, events, protocmp.Transform()); diff != "" || err != nil {
		t.Errorf("train, %v (-want +got):\n%s", err, diff)
	}
	for m, text := range map[string]string{
		"escape":   `output "cp" lies outside the call's work directory: ../cp`,
		"missing":  `output "cp": lstat`,
		"nameless": "an output has no name",
		"past":     "a checkpoint of step 21, wanted one from step 10 to 20",
		"back":     "a checkpoint of step 19, wanted one from step 20 to 20",
	} {
		_, err := train(m)
		wantError(t, err, codes.Internal, text)
	}
	export := func(m string) ([]*pluginv1.ExportEvent, error) {
		call := conn.Call(t, pluginv1.Kind_KIND_EXPORTER, "x", mode(m, 1))
		s, err := conn.Exporter.Export(t.Context(), &pluginv1.ExportRequest{Call: call, Checkpoint: &sdk.Artifact{Path: "/cp"}})
		if err != nil {
			t.Fatal(err)
		}
		return sdktest.All(s)
	}
	if e, err := export("good"); err != nil || len(e) != 1 || e[0].GetOutput().MediaType != sdk.GGUFMediaType {
		t.Errorf("export: %v, %v", e, err)
	}
	for _, base := range []*sdk.Artifact{nil, {Path: "/base"}} {
		call := conn.Call(t, pluginv1.Kind_KIND_EXPORTER, "x", mode("good", 1))
		s, err := conn.Exporter.Export(t.Context(), &pluginv1.ExportRequest{Call: call, Checkpoint: &sdk.Artifact{Path: "/cp"}, Base: base})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sdktest.All(s); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(call.WorkDir, "model"))
		if want := "/cp" + base.GetPath(); err != nil || string(got) != want {
			t.Errorf("an exporter with the base %v writes %q, %v, want %q", base, got, err, want)
		}
	}
	_, err = export("twice")
	wantError(t, err, codes.Internal, `output "model" is there twice`)
}

func TestEvaluator(t *testing.T) {
	t.Parallel()
	conn := sdktest.Open(t, plugin())
	kind := pluginv1.Kind_KIND_EVALUATOR
	s, err := conn.Evaluator.Prepare(t.Context(), &sdk.PrepareRequest{Call: conn.Call(t, kind, "e", nil), Samples: 500})
	if err != nil {
		t.Fatal(err)
	}
	events, err := sdktest.All(s)
	n := 0
	for _, e := range events {
		n += len(e.Questions)
	}
	if err != nil || n != 500 || len(events) != 5 {
		t.Errorf("%d questions in %d messages, %v", n, len(events), err)
	}
	score := func(n, size int) (*pluginv1.ScoreResponse, error) {
		s, err := conn.Evaluator.Score(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Send(&pluginv1.ScoreRequest{Message: &pluginv1.ScoreRequest_Call{Call: conn.Call(t, kind, "e", mode("good", size))}}); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			a := &sdk.Answer{Completion: &sdk.Completion{PromptId: strconv.Itoa(i)}}
			if err := s.Send(&pluginv1.ScoreRequest{Message: &pluginv1.ScoreRequest_Answer{Answer: a}}); err != nil {
				t.Fatal(err)
			}
		}
		return s.CloseAndRecv()
	}
	r, err := score(1000, 1)
	if err != nil || len(r.Scores) != 1000 || r.Scores[999].PromptId != "999" || len(r.Diagnostics) != 1 {
		t.Errorf("%d scores, %v", len(r.GetScores()), err)
	}
	_, err = score(1000, 8<<10)
	wantError(t, err, codes.ResourceExhausted, "the scores of 1000 answers")
}

func TestInfoValidateEstimateFingerprint(t *testing.T) {
	t.Parallel()
	conn := sdktest.Open(t, plugin())
	info, err := conn.Plugin.Info(t.Context(), &pluginv1.InfoRequest{})
	if err != nil || info.Name != "test" || info.Version != "0.1.0" || len(info.Stages) != 7 {
		t.Fatalf("%v, %v", info, err)
	}
	if s := info.Stages[3]; s.Kind != generatorKind || s.Name != "g" || s.Revision != 3 || !s.Concurrent || s.Deterministic || s.Features[0] != "score" || len(s.Schema.Attributes) != 2 {
		t.Errorf("stage %v", s)
	}
	item := func(address, json string) *pluginv1.ValidateItem {
		return &pluginv1.ValidateItem{Address: address, Kind: collectorKind, Stage: "c", Config: &pluginv1.Config{Json: []byte(json)}}
	}
	resp, err := conn.Plugin.Validate(t.Context(), &pluginv1.ValidateRequest{Items: []*pluginv1.ValidateItem{
		item("fine", `{"mode":"good","n":1}`), item("many", `{"n":6}`), item("wrong", `{"n":"six"}`),
		{Address: "asked", Kind: generatorKind, Stage: "g", Config: &pluginv1.Config{Json: []byte(`{"mode":"served"}`)}},
		{Address: "handed", Kind: generatorKind, Stage: "g", Config: &pluginv1.Config{Json: []byte(`{"mode":"served"}`)}, RunsModels: true},
		{Address: "good", Kind: generatorKind, Stage: "g", Config: &pluginv1.Config{Json: []byte(`{}`)}, RunsModels: true},
	}})
	if err != nil {
		t.Fatal(err)
	}
	name := func(n string) *pluginv1.PathStep { return &pluginv1.PathStep{Step: &pluginv1.PathStep_Name{Name: n}} }
	failed, warned := pluginv1.Diagnostic_SEVERITY_ERROR, pluginv1.Diagnostic_SEVERITY_WARNING
	want := []*sdk.Diagnostic{
		{Address: "many", Severity: warned, Summary: "Many", Detail: "More than 5.", Attribute: []*pluginv1.PathStep{name("n")}},
		{Address: "many", Severity: failed, Summary: "Bad", Detail: "x", Attribute: []*pluginv1.PathStep{name("list"), {Step: &pluginv1.PathStep_Index{Index: 2}}, name("key")}},
		{Address: "wrong", Severity: failed, Summary: "Invalid configuration", Detail: "Attribute n: is a string, wanted a number.", Attribute: []*pluginv1.PathStep{name("n")}},
		{Address: "handed", Severity: failed, Summary: "No models", Detail: "A server runs none.", Attribute: []*pluginv1.PathStep{name("mode")}},
	}
	if diff := cmp.Diff(want, resp.Diagnostics, protocmp.Transform()); diff != "" {
		t.Errorf("diagnostics (-want +got):\n%s", diff)
	}
	est := func(kind pluginv1.Kind, stage string, cfg any) (*sdk.EstimateResponse, error) {
		return conn.Plugin.Estimate(t.Context(), &sdk.EstimateRequest{Kind: kind, Stage: stage, Config: conn.Config(t, kind, stage, cfg), Items: 10})
	}
	if e, err := est(collectorKind, "c", nil); err != nil || e.PromptTokens != 30 {
		t.Errorf("estimate of the collector: %v, %v", e, err)
	}
	if e, err := est(trainerKind, "t", mode("good", 4)); err != nil || e.Records != 40 {
		t.Errorf("estimate of the trainer: %v, %v", e, err)
	}
	_, err = est(trainerKind, "t", mode("nil", 4))
	wantError(t, err, codes.Internal, "gave no estimate and no error")
	fp := func(m string) (*pluginv1.FingerprintResponse, error) {
		return conn.Plugin.Fingerprint(t.Context(), &pluginv1.FingerprintRequest{Kind: collectorKind, Stage: "c", Config: conn.Config(t, collectorKind, "c", mode(m, 1))})
	}
	if f, err := fp("good"); err != nil || f.Digest != "good" {
		t.Errorf("fingerprint: %v, %v", f, err)
	}
	_, err = fp("error")
	wantError(t, err, codes.Unknown, "unreachable")
	found, err := conn.Plugin.Check(t.Context(), &pluginv1.CheckRequest{Kind: collectorKind, Stage: "c", Config: conn.Config(t, collectorKind, "c", mode("good", 1))})
	if err != nil || len(found.Findings) != 1 || found.Findings[0].Detail != "good" {
		t.Errorf("findings: %v, %v", found, err)
	}
}

func TestStageWithoutOptionalMethods(t *testing.T) {
	t.Parallel()
	conn := sdktest.Open(t, sdk.Plugin{Name: "bare", Stages: []sdk.Stage{sdk.Collector("c", sdk.Options{}, func(context.Context, *sdk.Call, struct{}, func(*sdk.RecordBatch) error) error { return nil })}})
	_, err := conn.Plugin.Estimate(t.Context(), &sdk.EstimateRequest{Kind: collectorKind, Stage: "c"})
	wantError(t, err, codes.Unimplemented, `stage "c" has no estimate`)
	_, err = conn.Plugin.Fingerprint(t.Context(), &pluginv1.FingerprintRequest{Kind: collectorKind, Stage: "c"})
	wantError(t, err, codes.Unimplemented, `stage "c" has no fingerprint`)
	_, err = conn.Plugin.Check(t.Context(), &pluginv1.CheckRequest{Kind: collectorKind, Stage: "c"})
	wantError(t, err, codes.Unimplemented, `stage "c" has nothing to look at`)
	_, err = conn.Trainer.Train(t.Context(), &sdk.TrainRequest{})
	if err == nil {
		s, _ := conn.Trainer.Train(t.Context(), &sdk.TrainRequest{})
		_, err = s.Recv()
	}
	wantError(t, err, codes.Unimplemented, "unknown service")
}

// The zero Call is usable in a test that calls a stage's function itself.
func TestZeroCall(t *testing.T) {
	t.Parallel()
	var c sdk.Call
	c.Progress(1, 2, "records", nil)
	if c.IsStopped() {
		t.Error("the zero Call is stopped")
	}
}
