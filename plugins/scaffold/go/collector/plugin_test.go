package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk/sdktest"
)

// collected gives the texts of a call that begins at a cursor, and the last cursor.
func collected(t *testing.T, config map[string]any, cursor string) (texts []string, last string) {
	t.Helper()
	conn := sdktest.Open(t, plugin)
	call := conn.Call(t, pluginv1.Kind_KIND_COLLECTOR, "starter", config)
	call.Cursor = []byte(cursor)
	stream, err := conn.Collector.Collect(t.Context(), &pluginv1.CollectRequest{Call: call})
	if err != nil {
		t.Fatal(err)
	}
	events, err := sdktest.All(stream)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		for _, r := range e.GetBatch().GetRecords() {
			texts = append(texts, r.GetText())
		}
		if c := e.GetBatch().GetCursor(); len(c) > 0 {
			last = string(c)
		}
	}
	return texts, last
}

func TestCollect(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lines.txt")
	if err := os.WriteFile(path, []byte("first\n\nno\nsecond\nthird\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	config := map[string]any{"path": path, "min_chars": 3, "batch": 2}
	all, last := collected(t, config, "")
	if !slices.Equal(all, []string{"first", "second", "third"}) || last != "5" {
		t.Errorf("%q, cursor %q", all, last)
	}
	if rest, _ := collected(t, config, "4"); !slices.Equal(rest, all[2:]) {
		t.Errorf("from line 4: %q", rest)
	}
}

func TestValidate(t *testing.T) {
	if d := (config{Batch: 1}).Validate(); len(d) != 0 {
		t.Errorf("%v", d)
	}
	if d := (config{MinChars: -1}).Validate(); len(d) != 2 {
		t.Errorf("%v", d)
	}
}
