package main

import (
	"os"
	"path/filepath"
	"testing"

	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
	"jupiter/plugins/sdk/sdktest"
)

// exported gives the directory of the model.
func exported(t *testing.T, checkpoint string) string {
	t.Helper()
	conn := sdktest.Open(t, plugin)
	call := conn.Call(t, pluginv1.Kind_KIND_EXPORTER, "starter", map[string]any{"license": "MIT"})
	stream, err := conn.Exporter.Export(t.Context(), &pluginv1.ExportRequest{Call: call, Checkpoint: &sdk.Artifact{Path: checkpoint}})
	if err != nil {
		t.Fatal(err)
	}
	events, err := sdktest.All(stream)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if o := e.GetOutput(); o != nil && o.GetName() == "model" {
			return filepath.Join(call.WorkDir, o.GetPath())
		}
	}
	t.Fatal("there is no model")
	return ""
}

func TestExport(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "part")
	if err := os.WriteFile(file, []byte("weights"), 0o644); err != nil {
		t.Fatal(err)
	}
	for checkpoint, name := range map[string]string{file: "weights", dir: "part"} {
		model := exported(t, checkpoint)
		if b, err := os.ReadFile(filepath.Join(model, name)); err != nil || string(b) != "weights" {
			t.Errorf("%s: %q, %v", name, b, err)
		}
		if b, err := os.ReadFile(filepath.Join(model, "LICENSE")); err != nil || string(b) != "MIT\n" {
			t.Errorf("licence: %q, %v", b, err)
		}
	}
}

func TestValidate(t *testing.T) {
	if d := (config{License: "MIT"}).Validate(); len(d) != 0 {
		t.Errorf("%v", d)
	}
	if d := (config{License: "a\nb"}).Validate(); len(d) != 1 {
		t.Errorf("%v", d)
	}
}
