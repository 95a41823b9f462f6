package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
	"jupiter/plugins/sdk/sdktest"
)

// dataset writes n records, as the host does.
func dataset(t *testing.T, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "records.jsonl.zst")
	w, err := sdk.CreateRecords(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := w.Write(&sdk.Record{Text: fmt.Sprintf("word%d of %d", i%7, n)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// train gives the steps of the checkpoints and the file of the last.
func train(t *testing.T, data string, from, to uint64, start string) (steps []uint64, last string) {
	t.Helper()
	conn := sdktest.Open(t, plugin)
	call := conn.Call(t, pluginv1.Kind_KIND_TRAINER, "starter", map[string]any{"batch_size": 4, "decay": 0.9})
	req := &sdk.TrainRequest{Call: call, Dataset: &sdk.Artifact{Path: data}, FromStep: from, ToStep: to, WindowEnd: 10, SaveEverySteps: 4}
	if start != "" {
		req.Checkpoint = &sdk.Artifact{Path: start}
	}
	stream, err := conn.Trainer.Train(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	events, err := sdktest.All(stream)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if cp := e.GetCheckpoint(); cp != nil {
			steps = append(steps, cp.GetStep())
			last = filepath.Join(call.WorkDir, cp.GetOutput().GetPath())
		}
	}
	return steps, last
}

func TestTrain(t *testing.T) {
	data := dataset(t, 40)
	steps, whole := train(t, data, 0, 10, "")
	if !slices.Equal(steps, []uint64{4, 8, 10}) {
		t.Errorf("checkpoints of steps %v", steps)
	}
	_, half := train(t, data, 0, 6, "")
	_, rest := train(t, data, 6, 10, half)
	want, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(rest); err != nil || !bytes.Equal(got, want) {
		t.Errorf("a window that is cut off comes to other bytes (%v):\n%s\n%s", err, got, want)
	}
}

func TestValidate(t *testing.T) {
	if d := (config{BatchSize: 1, Decay: 1, LogEvery: 1}).Validate(); len(d) != 0 {
		t.Errorf("%v", d)
	}
	if d := (config{}).Validate(); len(d) != 3 {
		t.Errorf("%v", d)
	}
}
