package main

import (
	"slices"
	"strings"
	"testing"

	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
	"jupiter/plugins/sdk/sdktest"
)

// samples draws n samples over the real protocol, from the given one on.
func samples(t *testing.T, config map[string]any, from, n uint64) (texts []string) {
	t.Helper()
	conn := sdktest.Open(t, plugin)
	stream, err := conn.Generator.Generate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	call := conn.Call(t, pluginv1.Kind_KIND_GENERATOR, "starter", config)
	call.Seed = 7
	set := &sdk.PromptSet{Template: "t", StartIndex: from, Samples: n, Prompts: []*sdk.Prompt{{Text: "say:", Bucket: "synthetic"}}}
	if err := stream.Send(&sdk.GenerateRequest{Call: call, Sets: []*sdk.PromptSet{set}}); err != nil {
		t.Fatal(err)
	}
	if err := stream.CloseSend(); err != nil {
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
	}
	return texts
}

func TestGenerate(t *testing.T) {
	config := map[string]any{"length": 3, "batch": 4}
	all := samples(t, config, 0, 10)
	if len(all) != 10 || len(strings.Fields(all[0])) != 3 || all[0] == all[1] && all[1] == all[2] {
		t.Errorf("%q", all)
	}
	if rest := samples(t, config, 6, 4); !slices.Equal(rest, all[6:]) {
		t.Errorf("from sample 6: %q, want %q", rest, all[6:])
	}
}

func TestComplete(t *testing.T) {
	conn := sdktest.Open(t, plugin)
	stream, err := conn.Generator.Complete(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	call := conn.Call(t, pluginv1.Kind_KIND_GENERATOR, "starter", nil)
	prompts := []*sdk.Prompt{{Id: "a", Text: "one"}, {Id: "b", Text: "two"}}
	if err := stream.Send(&pluginv1.CompleteRequest{Call: call, Prompts: prompts}); err != nil {
		t.Fatal(err)
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	events, err := sdktest.All(stream)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, e := range events {
		if c := e.GetCompletion(); c != nil {
			ids = append(ids, c.GetPromptId())
		}
	}
	if !slices.Equal(ids, []string{"a", "b"}) {
		t.Errorf("completions of %q", ids)
	}
}

func TestValidate(t *testing.T) {
	if d := (config{Words: []string{"a"}, Length: 1, Batch: 1}).Validate(); len(d) != 0 {
		t.Errorf("%v", d)
	}
	if d := (config{}).Validate(); len(d) != 3 {
		t.Errorf("%v", d)
	}
}
