package sdk_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pluginv1 "jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
	"jupiter/plugins/sdk/sdktest"
)

// importing is a generator that takes models too. Its mode says which promise it breaks.
type importing struct{ generator }

func (importing) Import(_ context.Context, c *sdk.Call, cfg config, path string, emit func(*sdk.Output) error) error {
	give := func(name string) error {
		if err := os.WriteFile(filepath.Join(c.WorkDir, name), []byte(path), 0o644); err != nil {
			return err
		}
		return emit(&sdk.Output{Name: name, Path: name, Meta: map[string]string{"format": "test"}})
	}
	switch cfg.Mode {
	case "error":
		return errors.New("not a model")
	case "none":
		return nil
	case "other":
		return give("checkpoint")
	case "twice":
		return errors.Join(give("model"), give("model"))
	}
	c.Progress(1, 2, "tensors", nil)
	c.Warn("Odd", "But it works.")
	return give("model")
}

func TestImport(t *testing.T) {
	t.Parallel()
	conn := sdktest.Open(t, sdk.Plugin{Name: "test", Version: "0.1.0", Stages: []sdk.Stage{
		sdk.Generator("g", sdk.Options{}, importing{}), sdk.Trainer("t", sdk.Options{}, trainer{}),
	}})
	info, err := conn.Plugin.Info(t.Context(), &pluginv1.InfoRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if g, tr := info.Stages[0].Features, info.Stages[1].Features; !slices.Equal(g, []string{"score", "stream", "import"}) || len(tr) != 0 {
		t.Errorf("features %v of a stage that imports, and %v of one that does not", g, tr)
	}
	do := func(mode string) ([]*pluginv1.ImportEvent, error) {
		call := conn.Call(t, generatorKind, "g", map[string]any{"mode": mode})
		s, err := conn.Generator.Import(t.Context(), &pluginv1.ImportRequest{Call: call, Path: "/a/model"})
		if err != nil {
			t.Fatal(err)
		}
		return sdktest.All(s)
	}
	events, err := do("good")
	if err != nil || len(events) != 3 || events[0].GetProgress().GetUnit() != "tensors" || events[1].GetDiagnostic().GetSummary() != "Odd" ||
		events[2].GetOutput().GetPath() != "model" || events[2].GetOutput().GetMeta()["format"] != "test" {
		t.Errorf("%v, %v", events, err)
	}
	for mode, want := range map[string]string{
		"error": "not a model", "none": `gave no output "model"`, "other": `one output, "model"; this is number 1, "checkpoint"`, "twice": "this is number 2",
	} {
		if _, err := do(mode); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", mode, err, want)
		}
	}
	s, err := conn.Trainer.Import(t.Context(), &pluginv1.ImportRequest{Call: conn.Call(t, trainerKind, "t", nil)})
	if err == nil {
		_, err = sdktest.All(s)
	}
	if status.Code(err) != codes.Unimplemented {
		t.Errorf("a trainer that imports nothing: %v", err)
	}
}
