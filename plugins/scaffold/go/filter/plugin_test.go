package main

import (
	"testing"

	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
	"jupiter/plugins/sdk/sdktest"
)

// verdicts sends records through the filter over the real protocol.
func verdicts(t *testing.T, config map[string]any, records ...*sdk.Record) (all []*sdk.Verdict) {
	t.Helper()
	conn := sdktest.Open(t, plugin)
	stream, err := conn.Filter.Filter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	call := conn.Call(t, pluginv1.Kind_KIND_FILTER, "starter", config)
	for _, req := range []*pluginv1.FilterRequest{
		{Message: &pluginv1.FilterRequest_Call{Call: call}},
		{Message: &pluginv1.FilterRequest_Batch{Batch: &sdk.RecordBatch{Records: records}}},
	} {
		if err := stream.Send(req); err != nil {
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
	for _, e := range events {
		all = append(all, e.GetVerdicts().GetVerdicts()...)
	}
	return all
}

func TestFilter(t *testing.T) {
	records := []*sdk.Record{{Text: "calm"}, {Text: "LOUD"}, {Text: "12"}, {}}
	got := verdicts(t, nil, records...)
	for i, keep := range []bool{true, false, true, true} {
		if got[i].GetKeep() != keep || keep != (got[i].GetReason() == "") {
			t.Errorf("%q: %v", records[i].GetText(), got[i])
		}
	}
	if all := verdicts(t, map[string]any{"max_share": 1}, records...); !all[1].GetKeep() {
		t.Errorf("max_share = 1 drops %q", records[1].GetText())
	}
}

func TestValidate(t *testing.T) {
	if d := (config{MaxShare: 0.5}).Validate(); len(d) != 0 {
		t.Errorf("%v", d)
	}
	if d := (config{MaxShare: 2}).Validate(); len(d) != 1 {
		t.Errorf("%v", d)
	}
}
