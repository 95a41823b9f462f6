//go:build linux

package host

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"

	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
)

// pythonEnvironment is the virtual environment of the Python packages, made once.
var pythonEnvironment = sync.OnceValues(func() (string, error) {
	python := os.Getenv("PYTHON")
	if python == "" {
		python = "python3"
	}
	var stderr bytes.Buffer
	cmd := exec.Command(python, "../sdk/python/environment.py")
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", errors.New(err.Error() + "\n" + stderr.String())
	}
	return strings.TrimSpace(string(out)), nil
})

// pythonHost makes a host with the Python SDK's test plugin, and ends it with the test. Without Python, or a package index
// to install the SDK's dependencies from, the test is skipped.
func pythonHost(t *testing.T, secure TLS) *Host {
	t.Helper()
	env, err := pythonEnvironment()
	if err != nil {
		t.Skipf("NOT TESTED, THE PYTHON SDK AGAINST THE HOST: its environment cannot be made: %v", err)
	}
	script, err := filepath.Abs("../sdk/python/tests/host_plugin.py")
	if err != nil {
		t.Fatal(err)
	}
	h, err := New(Options{Version: "test", Env: os.Environ(), Plugins: map[string]Program{
		"python": {Path: filepath.Join(env, "bin", "python"), Args: []string{script}, TLS: secure},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		procs := h.processes()
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		for _, p := range procs {
			if running(p.pid()) {
				t.Errorf("process %d is still there", p.pid())
			}
		}
	})
	return h
}

func pythonStage(t *testing.T, h *Host, kind string) *Stage {
	t.Helper()
	s, err := h.Stage(t.Context(), kind, "python")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func pythonCall(t *testing.T, mode string) *pluginv1.Call {
	return &pluginv1.Call{Stage: "python", Id: "call-1", WorkDir: t.TempDir(), Config: &pluginv1.Config{Json: []byte(`{"mode":"` + mode + `"}`)}}
}

// pythonFilter sends texts, one batch each, and gives the verdicts.
func pythonFilter(t *testing.T, h *Host, mode string, texts ...string) (got []*pluginv1.Verdict, err error) {
	t.Helper()
	stream, err := pythonStage(t, h, "filter").Filter().Filter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	reqs := []*pluginv1.FilterRequest{{Message: &pluginv1.FilterRequest_Call{Call: pythonCall(t, mode)}}}
	for i, text := range texts {
		b := &pluginv1.RecordBatch{Records: []*pluginv1.Record{{Id: strconv.Itoa(i), Text: text}}}
		reqs = append(reqs, &pluginv1.FilterRequest{Message: &pluginv1.FilterRequest_Batch{Batch: b}})
	}
	for _, r := range reqs {
		if err := stream.Send(r); err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	events, err := readAll(stream.Recv)
	for _, e := range events {
		got = append(got, e.GetVerdicts().GetVerdicts()...)
	}
	return got, err
}

// pythonGenerate begins a call of the generator, whose first record is read.
func pythonGenerate(t *testing.T, ctx context.Context, h *Host, call *pluginv1.Call) (first string, recv func() (*pluginv1.GenerateEvent, error)) {
	t.Helper()
	stream, err := pythonStage(t, h, "generator").Generator().Generate(ctx)
	if err != nil {
		t.Fatal(err)
	}
	set := &pluginv1.PromptSet{Template: "t", Samples: 1}
	for range 60 { // more than a message holds
		set.Prompts = append(set.Prompts, &pluginv1.Prompt{Text: strings.Repeat("p", 100<<10)})
	}
	if err := stream.Send(&pluginv1.GenerateRequest{Call: call, Sets: []*pluginv1.PromptSet{set}}); err != nil {
		t.Fatal(err)
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	e, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	return e.GetBatch().Records[0].Text, stream.Recv
}

func TestPython(t *testing.T) {
	t.Parallel()
	h := pythonHost(t, TLSGiven)
	s := pythonStage(t, h, "filter")
	if s.Schema.Version != "1.2.3" || s.Schema.Revision != 2 || !s.Schema.Deterministic {
		t.Errorf("stage %+v", s.Schema)
	}
	if d, err := s.Validate(t.Context(), []byte(`{"mode":"good","share":2}`)); err != nil || len(d) != 1 || d[0].Summary != "Share out of range" {
		t.Errorf("validate: %v, %v", d, err)
	}
	if e, err := pythonStage(t, h, "trainer").Estimate(t.Context(), []byte("{}"), 5); err != nil || e.Records != 40 {
		t.Errorf("estimate: %v, %v", e, err)
	}
	if _, err := s.Estimate(t.Context(), []byte("{}"), 5); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("estimate of the filter: %v, want ErrUnsupported", err)
	}
	verdicts, err := pythonFilter(t, h, "good", "long enough", "no")
	var got []string
	for _, v := range verdicts {
		got = append(got, v.Id+" "+strconv.FormatBool(v.Keep))
	}
	if diff := cmp.Diff([]string{"0 true", "1 false"}, got); diff != "" || err != nil {
		t.Errorf("verdicts, %v (-want +got):\n%s", err, diff)
	}
	if text, recv := pythonGenerate(t, t.Context(), h, pythonCall(t, "good")); text != "t 60" {
		t.Errorf("generated %q", text)
	} else if _, err := recv(); !errors.Is(err, io.EOF) {
		t.Errorf("%v, want the end", err)
	}
	var se *StageError
	if _, err := pythonFilter(t, h, "exception", "x"); !errors.As(err, &se) || se.Code != codes.Internal.String() || se.Message != "KeyError: 'moon' (host_plugin.py, line 36, in judge)" {
		t.Errorf("%v, want the exception", err)
	}
	if n := len(h.processes()); n != 1 {
		t.Errorf("%d processes, want one that lived through it all", n)
	}
}

// A trainer reads the record files that the host writes, and saves when it is asked to stop.
func TestPythonTrainer(t *testing.T) {
	t.Parallel()
	h := pythonHost(t, TLSGiven)
	data := filepath.Join(t.TempDir(), "records.jsonl.zst")
	w, err := sdk.CreateRecords(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"one", "zwei", "três"} {
		if err := w.Write(&sdk.Record{Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	req := &pluginv1.TrainRequest{Call: pythonCall(t, "good"), ToStep: 5, WindowEnd: 5, Dataset: &pluginv1.Artifact{Path: data, MediaType: sdk.RecordsMediaType}}
	var stop sync.WaitGroup
	defer stop.Wait()
	train := func() (last *pluginv1.Checkpoint) {
		stream, err := pythonStage(t, h, "trainer").Trainer().Train(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		for {
			e, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				return last
			}
			if err != nil {
				t.Fatal(err)
			}
			if e.GetProgress().GetDone() == 3 && req.ToStep > 5 {
				stop.Go(func() { h.Stop(t.Context(), "test", time.Minute) }) // it waits until the call has saved
			}
			if e.GetCheckpoint() != nil {
				last = e.GetCheckpoint()
			}
		}
	}
	cp := train()
	if text, err := os.ReadFile(filepath.Join(req.Call.WorkDir, cp.GetOutput().GetPath())); err != nil || string(text) != "one zwei três" || cp.Step != 5 {
		t.Errorf("checkpoint %v: %q, %v", cp, text, err)
	}
	req.ToStep, req.WindowEnd = 1000000, 1000000
	if cp := train(); cp.GetStep() <= 3 || cp.GetStep() >= 1000000 {
		t.Errorf("stopped at %v", cp)
	}
}

func TestPythonCancel(t *testing.T) {
	t.Parallel()
	h := pythonHost(t, TLSGiven)
	ctx, cancel := context.WithCancel(t.Context())
	call := pythonCall(t, "endless")
	_, recv := pythonGenerate(t, ctx, h, call)
	cancel()
	if _, err := readAll(recv); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want the context's error", err)
	}
	waitFor(t, "the stage's generator is closed", func() bool {
		_, err := os.Stat(filepath.Join(call.WorkDir, "closed"))
		return err == nil
	})
	if v, err := pythonFilter(t, h, "good", "text"); err != nil || len(v) != 1 || len(h.processes()) != 1 {
		t.Errorf("afterwards: %v, %v, %d processes", v, err, len(h.processes()))
	}
}

// A crash report has what the plugin said last, and what was in work.
func TestPythonCrash(t *testing.T) {
	t.Parallel()
	h := pythonHost(t, TLSGiven)
	_, err := pythonFilter(t, h, "good", "fine", "poison", "later")
	var c *Crash
	if !errors.As(err, &c) || c.ExitCode != 3 || !slices.Contains(c.Stderr, "about to leave") || !strings.HasPrefix(c.Item, "record 1 ") {
		t.Errorf("%v, want a crash with exit status 3 at record 1", err)
	}
	stream, err := pythonStage(t, h, "generator").Generator().Complete(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	prompts := []*pluginv1.Prompt{{Id: "a", Text: "fine"}, {Id: "b", Text: "poison"}}
	if err := stream.Send(&pluginv1.CompleteRequest{Call: pythonCall(t, "good"), Prompts: prompts}); err != nil {
		t.Fatal(err)
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	_, err = readAll(stream.Recv)
	if !errors.As(err, &c) || c.Signal != "segmentation fault" || !strings.Contains(strings.Join(c.Stderr, "\n"), "host_plugin.py") {
		t.Errorf("%v, want a segmentation fault with its stack", err)
	}
}

// A plugin whose host is gone ends, with what it has started, also in the middle of a call.
func TestPythonHostGone(t *testing.T) {
	t.Parallel()
	h := pythonHost(t, TLSGiven)
	text, recv := pythonGenerate(t, t.Context(), h, pythonCall(t, "child"))
	child, err := strconv.Atoi(text)
	if err != nil || !running(child) {
		t.Fatalf("child %q, %v", text, err)
	}
	p := h.processes()[0]
	if err := p.runner.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	gone(t, p.pid())
	gone(t, child)
	if _, err := recv(); err == nil {
		t.Error("the call ended well")
	}
}

// Where a stage does not answer any more, Close ends the process all the same.
func TestPythonClose(t *testing.T) {
	t.Parallel()
	h := pythonHost(t, TLSGiven)
	_, recv := pythonGenerate(t, t.Context(), h, pythonCall(t, "stuck"))
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if _, err := recv(); !errors.Is(err, ErrStopped) {
		t.Errorf("%v, want ErrStopped", err)
	}
}

// Without certificates of the host's making, AutoMTLS is refused, with a reason; TLSOff works.
func TestPythonTLS(t *testing.T) {
	t.Parallel()
	h := pythonHost(t, TLSAuto)
	_, err := h.Stage(t.Context(), "filter", "python")
	if err == nil || !strings.Contains(err.Error(), `it needs tls = "given"`) {
		t.Errorf("%v, want why there is no AutoMTLS", err)
	}
	for _, p := range h.processes() {
		gone(t, p.pid())
	}
	if v, err := pythonFilter(t, pythonHost(t, TLSOff), "good", "text"); err != nil || len(v) != 1 {
		t.Errorf("without certificates: %v, %v", v, err)
	}
}
