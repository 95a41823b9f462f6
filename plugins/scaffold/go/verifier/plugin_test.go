package main

import (
	"testing"

	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
	"jupiter/plugins/sdk/sdktest"
)

// judgements sends items through the verifier over the real protocol.
func judgements(t *testing.T, items ...*sdk.VerifyItem) (all []*sdk.Judgement) {
	t.Helper()
	conn := sdktest.Open(t, plugin)
	stream, err := conn.Verifier.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	call := conn.Call(t, pluginv1.Kind_KIND_VERIFIER, "starter", nil)
	for _, req := range []*pluginv1.VerifyRequest{
		{Message: &pluginv1.VerifyRequest_Call{Call: call}},
		{Message: &pluginv1.VerifyRequest_Batch{Batch: &pluginv1.VerifyBatch{Items: items}}},
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
		all = append(all, e.GetJudgements()...)
	}
	return all
}

func TestVerify(t *testing.T) {
	items := []*sdk.VerifyItem{
		{Prompt: "2+3:", Text: "5"},
		{Text: "3+2:5"},
		{Prompt: "2+3:", Text: "6"},
		{Prompt: "2+3:", Text: "five"},
		{Prompt: "2*3:", Text: "6"},
		{Prompt: "12345678901+1:", Text: "2"},
		{},
	}
	got := judgements(t, items...)
	for i, reason := range []string{"", "", "wrong_answer", "no_number", "no_question", "no_question", "no_question"} {
		if got[i].GetReason() != reason || got[i].GetAnswerOk() != (reason == "") {
			t.Errorf("%v: %v", items[i], got[i])
		}
	}
	if got[0].GetKey() != got[1].GetKey() || got[1].GetQuestion() != "3+2:" || got[1].GetAnswer() != "5" {
		t.Errorf("the same question twice: %v, %v", got[0], got[1])
	}
}

func TestValidate(t *testing.T) {
	if d := (config{MaxDigits: 6}).Validate(); len(d) != 0 {
		t.Errorf("%v", d)
	}
	if d := (config{MaxDigits: 19}).Validate(); len(d) != 1 {
		t.Errorf("%v", d)
	}
}
