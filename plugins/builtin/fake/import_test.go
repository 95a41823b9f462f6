package fake

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	pluginv1 "jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
	"jupiter/plugins/sdk/sdktest"
)

// An imported model answers as its quality says, and one that a student starts from is of step 0.
func TestImport(t *testing.T) {
	t.Parallel()
	conn := sdktest.Open(t, Plugin("1.0.0"))
	path := filepath.Join(t.TempDir(), "any.json")
	if err := os.WriteFile(path, []byte(`{"step": 7, "quality": 0.25}`), 0o644); err != nil {
		t.Fatal(err)
	}
	generator := conn.Call(t, pluginv1.Kind_KIND_GENERATOR, "fake", nil)
	g, err := conn.Generator.Import(t.Context(), &pluginv1.ImportRequest{Call: generator, Path: path})
	if err != nil {
		t.Fatal(err)
	}
	trainer := conn.Call(t, pluginv1.Kind_KIND_TRAINER, "fake", nil)
	tr, err := conn.Trainer.Import(t.Context(), &pluginv1.ImportRequest{Call: trainer, Path: path})
	if err != nil {
		t.Fatal(err)
	}
	for dir, s := range map[string]sdktest.Stream[pluginv1.ImportEvent]{generator.WorkDir: g, trainer.WorkDir: tr} {
		events, err := sdktest.All(s)
		if err != nil || len(events) != 1 {
			t.Fatalf("%v, %v", events, err)
		}
		m, err := readModel(&sdk.Artifact{Path: filepath.Join(dir, events[0].GetOutput().GetPath())})
		if err != nil || m != (model{Quality: 0.25}) {
			t.Errorf("%+v, %v", m, err)
		}
	}
	for text, want := range map[string]string{`{"quality": 2}`: "its quality is 2", "GGUF": "is no fake model"} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		s, err := conn.Generator.Import(t.Context(), &pluginv1.ImportRequest{Call: conn.Call(t, pluginv1.Kind_KIND_GENERATOR, "fake", nil), Path: path})
		if err == nil {
			_, err = sdktest.All(s)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", text, err, want)
		}
	}
}
