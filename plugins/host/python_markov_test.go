//go:build linux

package host

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
)

// markov is the example plugin in Python, as pip has installed it.
type markov struct {
	*Host
	t       *testing.T
	dataset string
}

func openMarkov(t *testing.T) *markov {
	t.Helper()
	env, err := pythonEnvironment()
	if err != nil {
		t.Skipf("NOT TESTED, THE EXAMPLE PLUGIN IN PYTHON: its environment cannot be made: %v", err)
	}
	h, err := New(Options{Env: os.Environ(), Plugins: map[string]Program{"markov": {Path: filepath.Join(env, "bin", "jupiter-markov"), TLS: TLSGiven}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	m := &markov{Host: h, t: t, dataset: filepath.Join(t.TempDir(), "records.jsonl.zst")}
	lines, err := os.ReadFile("../../domains/quantities/real.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	w, err := sdk.CreateRecords(m.dataset)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range bytes.Split(bytes.TrimSpace(lines), []byte("\n")) {
		r := &sdk.Record{}
		if err := json.Unmarshal(line, r); err != nil {
			t.Fatal(err)
		}
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *markov) stage(kind string) *Stage {
	m.t.Helper()
	s, err := m.Stage(m.t.Context(), kind, "markov")
	if err != nil {
		m.t.Fatal(err)
	}
	return s
}

func (m *markov) call(config string) *pluginv1.Call {
	return &pluginv1.Call{Stage: "markov", Id: "c", WorkDir: m.t.TempDir(), Seed: 5, Config: &pluginv1.Config{Json: []byte(config)}}
}

// train goes to a step, and is asked to stop at the first checkpoint where stop says so. It gives the last checkpoint's
// step and file.
func (m *markov) train(from, to uint64, start string, stop bool) (uint64, string) {
	m.t.Helper()
	req := &pluginv1.TrainRequest{
		Call: m.call(`{"order":8,"batch_size":20}`), Dataset: &pluginv1.Artifact{Path: m.dataset}, FromStep: from, ToStep: to, WindowEnd: 30, SaveEverySteps: 5,
	}
	if start != "" {
		req.Checkpoint = &pluginv1.Artifact{Path: start}
	}
	stream, err := m.stage("trainer").Trainer().Train(m.t.Context(), req)
	if err != nil {
		m.t.Fatal(err)
	}
	var step uint64
	var path string
	stopped := make(chan struct{})
	close(stopped)
	for {
		e, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			<-stopped
			return step, path
		}
		if err != nil {
			m.t.Fatal(err)
		}
		if cp := e.GetCheckpoint(); cp != nil {
			if step, path = cp.Step, filepath.Join(req.Call.WorkDir, cp.Output.Path); stop {
				stop, stopped = false, make(chan struct{})
				go func() {
					defer close(stopped)
					m.Stop(m.t.Context(), "test", time.Minute)
				}()
			}
		}
	}
}

func (m *markov) export(checkpoint string) *pluginv1.Artifact {
	m.t.Helper()
	call := m.call(`{}`)
	stream, err := m.stage("exporter").Exporter().Export(m.t.Context(), &pluginv1.ExportRequest{Call: call, Checkpoint: &pluginv1.Artifact{Path: checkpoint}})
	if err != nil {
		m.t.Fatal(err)
	}
	if events, err := readAll(stream.Recv); err != nil || len(events) != 1 || events[0].GetOutput().GetName() != "model" {
		m.t.Fatalf("%v, %v", events, err)
	}
	return &pluginv1.Artifact{Path: call.WorkDir}
}

func (m *markov) samples(model *pluginv1.Artifact, from, n uint64) (all []*pluginv1.Record) {
	m.t.Helper()
	stream, err := m.stage("generator").Generator().Generate(m.t.Context())
	if err != nil {
		m.t.Fatal(err)
	}
	req := &pluginv1.GenerateRequest{Call: m.call(`{"max_tokens":96}`), Model: model, Sets: []*pluginv1.PromptSet{{Template: "example", StartIndex: from, Samples: n}}}
	if err := stream.Send(req); err != nil {
		m.t.Fatal(err)
	}
	if err := stream.CloseSend(); err != nil {
		m.t.Fatal(err)
	}
	events, err := readAll(stream.Recv)
	if err != nil {
		m.t.Fatal(err)
	}
	for _, e := range events {
		all = append(all, e.GetBatch().GetRecords()...)
	}
	return all
}

// likelihood gives the log-likelihood of a continuation and its end.
func (m *markov) likelihood(model *pluginv1.Artifact, prompt, continuation string) float64 {
	m.t.Helper()
	stream, err := m.stage("generator").Generator().Score(m.t.Context())
	if err != nil {
		m.t.Fatal(err)
	}
	item := &pluginv1.LikelihoodItem{PromptId: "q", Prompt: prompt, Continuations: []string{continuation}, End: true}
	if err := stream.Send(&pluginv1.LikelihoodRequest{Call: m.call(`{}`), Model: model, Items: []*pluginv1.LikelihoodItem{item}}); err != nil {
		m.t.Fatal(err)
	}
	if err := stream.CloseSend(); err != nil {
		m.t.Fatal(err)
	}
	events, err := readAll(stream.Recv)
	if err != nil || len(events) != 1 || len(events[0].Likelihoods) != 1 {
		m.t.Fatalf("%v, %v", events, err)
	}
	return events[0].Likelihoods[0].SumLogprob
}

// The example plugin goes through what a cycle asks of it: a window that is interrupted and gone on with in another process
// gives the same checkpoint, its export draws the same samples however they are cut, and knows what it was trained on.
func TestPythonMarkov(t *testing.T) {
	t.Parallel()
	m := openMarkov(t)
	step, whole := m.train(0, 30, "", false)
	if step != 30 {
		t.Fatalf("trained to step %d", step)
	}
	step, part := m.train(0, 30, "", true)
	other := openMarkov(t)
	if step < 30 {
		_, part = other.train(step, 30, part, false)
	}
	want, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(part); err != nil || !bytes.Equal(got, want) {
		t.Errorf("an interrupted window gives another checkpoint (%v)", err)
	}
	model := m.export(whole)
	all := m.samples(model, 0, 40)
	if diff := cmp.Diff(all[25:], other.samples(model, 25, 15), cmp.Comparer(proto.Equal)); diff != "" || len(all) != 40 {
		t.Errorf("%d samples; those of another process differ:\n%s", len(all), diff)
	}
	seen := m.likelihood(model, "2sep+10d:", "2+10=12;12sep") // of the training data
	wrong := m.likelihood(model, "2sep+10d:", strings.Repeat("x", 13))
	if !(seen > wrong+20) || math.IsInf(wrong, 0) || seen >= 0 {
		t.Errorf("log-likelihoods %g of what was learned, %g of what was not", seen, wrong)
	}
}
