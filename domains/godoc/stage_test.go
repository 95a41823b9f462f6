package godoc

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	pluginv1 "jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
	"jupiter/plugins/sdk/sdktest"
)

func ask(t *testing.T, config map[string]any, items ...*sdk.VerifyItem) ([]*sdk.Judgement, error) {
	t.Helper()
	conn := sdktest.Open(t, Plugin("1.0.0"))
	stream, err := conn.Verifier.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []*pluginv1.VerifyRequest{
		{Message: &pluginv1.VerifyRequest_Call{Call: conn.Call(t, pluginv1.Kind_KIND_VERIFIER, "godoc", config)}},
		{Message: &pluginv1.VerifyRequest_Batch{Batch: &pluginv1.VerifyBatch{Items: items}}},
	} {
		if err := stream.Send(m); err != nil {
			break // the stream says why
		}
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	events, err := sdktest.All(stream)
	var got []*sdk.Judgement
	for _, e := range events {
		got = append(got, e.GetJudgements()...)
	}
	return got, err
}

func TestStage(t *testing.T) {
	t.Parallel()
	const doc, decl = "package brick\n\n// Twice is two volumes.\n", "func Twice(s Size) int { return 2 * s.Volume() }"
	got, err := ask(t, map[string]any{"goroot": fixture, "version": "go1.26.0"},
		&sdk.VerifyItem{Id: "a", Prompt: doc, Text: decl},
		&sdk.VerifyItem{Id: "b", Text: doc + decl},
		&sdk.VerifyItem{Id: "c", Text: doc + "func Twice(s Size) int { return s }"},
		&sdk.VerifyItem{Id: "d", Prompt: doc, Text: "func Twice(brick Size) int", Reference: decl},
		&sdk.VerifyItem{Id: "e", Prompt: doc + "func Twice(s", Text: " int)", Reference: " Size"},
		&sdk.VerifyItem{Id: "f", Text: "noise"})
	if err != nil {
		t.Fatal(err)
	}
	want := []*sdk.Judgement{
		{Id: "a", WellFormed: true, Consistent: true, StepsOk: true, AnswerOk: true, Family: Func},
		{Id: "b", WellFormed: true, Consistent: true, StepsOk: true, AnswerOk: true, Family: Func, Question: doc, Answer: decl},
		{Id: "c", WellFormed: true, Consistent: true, StepsOk: true, Reason: doesNotCompile, Family: Func, Question: doc, Answer: "func Twice(s Size) int { return s }"},
		{Id: "d", WellFormed: true, Consistent: true, StepsOk: true, AnswerOk: true, Family: Signature},
		{Id: "e", WellFormed: true, Consistent: true, StepsOk: true, Reason: wrongAnswer, Family: Cloze},
		{Id: "f", Reason: noPackage},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestStageRefuses: another version of Go than the data were made of is an error, and no judgement.
func TestStageRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ goroot, version, want string }{
		{fixture, "go1.25.0", "go run ./domains/godoc/gen"},
		{t.TempDir(), "go1.26.0", "is no GOROOT"},
	} {
		if _, err := ask(t, map[string]any{"goroot": tc.goroot, "version": tc.version}, &sdk.VerifyItem{Id: "a"}); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", tc.version, err)
		}
		f := Config{tc.goroot, tc.version}.Check(t.Context())
		if len(f) != 1 || f[0].Level != pluginv1.Finding_LEVEL_PROBLEM || !strings.Contains(f[0].Detail, tc.want) {
			t.Errorf("%s: found %v", tc.version, f)
		}
	}
	if f := (Config{fixture, "go1.26.0"}).Check(t.Context()); len(f) != 1 || f[0].Level != pluginv1.Finding_LEVEL_OK {
		t.Errorf("found %v", f)
	}
}
