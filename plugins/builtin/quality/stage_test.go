package quality

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	pluginv1 "jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
	"jupiter/plugins/sdk/sdktest"
)

func TestStage(t *testing.T) {
	t.Parallel()
	conn := sdktest.Open(t, Plugin("1.0.0"))
	stream, err := conn.Filter.Filter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	call := conn.Call(t, pluginv1.Kind_KIND_FILTER, "quality", map[string]any{"min_chars": 8})
	call.Domain = &sdk.Domain{Language: "es"}
	records := []*sdk.Record{
		{Id: "a", Text: spanish},
		{Id: "b", Text: "1+1=2"},
		{Id: "c", Prompt: english, Text: "7*12=84;84+5=89;89in"},
		{Id: "d", Messages: []*sdk.Message{{Role: "user", Content: "?"}, {Role: "assistant", Content: spanish, Train: true}}},
		{Id: "e", Messages: []*sdk.Message{{Role: "user", Content: spanish}, {Role: "assistant", Content: "No.", Train: true}}},
	}
	for _, m := range []*pluginv1.FilterRequest{
		{Message: &pluginv1.FilterRequest_Call{Call: call}},
		{Message: &pluginv1.FilterRequest_Batch{Batch: &sdk.RecordBatch{Records: records}}},
	} {
		if err := stream.Send(m); err != nil {
			t.Fatal(err)
		}
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	events, err := sdktest.All(stream)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, e := range events {
		for _, v := range e.GetVerdicts().GetVerdicts() {
			if v.Keep != (v.Reason == "") {
				t.Errorf("verdict on %s contradicts itself: %v", v.Id, v)
			}
			got[v.Id] = v.Reason
		}
	}
	want := map[string]string{"a": "", "b": MinChars, "c": "", "d": "", "e": MinChars}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
}
