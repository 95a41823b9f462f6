package quantities

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	pluginv1 "jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
	"jupiter/plugins/sdk/sdktest"
)

func TestStage(t *testing.T) {
	t.Parallel()
	conn := sdktest.Open(t, Plugin("1.0.0"))
	stream, err := conn.Verifier.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	items := []*sdk.VerifyItem{
		{Id: "a", Prompt: "7ft5in en in:", Text: "7*12=84;84+5=89;89in"},
		{Id: "b", Text: "25mar+14d:25+14=39;39-31=8;8abr"},
		{Id: "c", Text: "25mar+14d:25+14=39;39-30=9;9abr", Reference: "not read"},
		{Id: "d", Text: "noise"},
	}
	for _, m := range []*pluginv1.VerifyRequest{
		{Message: &pluginv1.VerifyRequest_Call{Call: conn.Call(t, pluginv1.Kind_KIND_VERIFIER, "quantities", nil)}},
		{Message: &pluginv1.VerifyRequest_Batch{Batch: &pluginv1.VerifyBatch{Items: items}}},
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
	var got []*sdk.Judgement
	for _, e := range events {
		got = append(got, e.GetJudgements()...)
	}
	date := func(j *sdk.Judgement) *sdk.Judgement {
		j.WellFormed, j.Consistent, j.Key, j.Family, j.Question = true, true, "25mar+14d", "date", "25mar+14d:"
		return j
	}
	want := []*sdk.Judgement{
		{Id: "a", WellFormed: true, Consistent: true, StepsOk: true, AnswerOk: true, Key: "7ft5in en in", Family: "to_smaller"},
		date(&sdk.Judgement{Id: "b", StepsOk: true, AnswerOk: true, Answer: "25+14=39;39-31=8;8abr"}),
		date(&sdk.Judgement{Id: "c", Reason: WrongAnswer, Answer: "25+14=39;39-30=9;9abr"}),
		{Id: "d", Reason: NoQuestion},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func BenchmarkJudge(b *testing.B) {
	for b.Loop() {
		Judge("", "7ft5in+3ft9in:5+9=14;14-12=2;7+3+1=11;11ft2in")
	}
}
