package main

import (
	"os"
	"path/filepath"
	"testing"

	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
	"jupiter/plugins/sdk/sdktest"
)

func TestPrepare(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gate.jsonl")
	if err := os.WriteFile(path, []byte(`{"prompt":"Sky?","reference":"blue"}
{"prompt":"Grass?","reference":"green","distractors":["red"]}
`), 0o644); err != nil {
		t.Fatal(err)
	}
	conn := sdktest.Open(t, plugin)
	prepare := func(samples uint64) (all []*sdk.Question) {
		call := conn.Call(t, pluginv1.Kind_KIND_EVALUATOR, "starter", nil)
		stream, err := conn.Evaluator.Prepare(t.Context(), &sdk.PrepareRequest{Call: call, Samples: samples, Splits: map[string]*sdk.Artifact{"gate": {Path: path}}})
		if err != nil {
			t.Fatal(err)
		}
		events, err := sdktest.All(stream)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			all = append(all, e.GetQuestions()...)
		}
		return all
	}
	all := prepare(0)
	if len(all) != 2 || len(prepare(1)) != 1 {
		t.Fatalf("%v", all)
	}
	for _, q := range all {
		if q.GetPrompt().GetId() == "" || q.GetKey() == "" || q.GetReference() == "" || q.GetSplit() != "gate" {
			t.Errorf("%v", q)
		}
	}
}

func TestScore(t *testing.T) {
	conn := sdktest.Open(t, plugin)
	stream, err := conn.Evaluator.Score(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	call := conn.Call(t, pluginv1.Kind_KIND_EVALUATOR, "starter", nil)
	if err := stream.Send(&pluginv1.ScoreRequest{Message: &pluginv1.ScoreRequest_Call{Call: call}}); err != nil {
		t.Fatal(err)
	}
	q := &sdk.Question{Prompt: &sdk.Prompt{Id: "q"}, Reference: "blue"}
	for _, a := range []*sdk.Answer{
		{Question: q, Completion: &sdk.Completion{Text: " Blue", FinishReason: "stop"}},
		{Question: q, Completion: &sdk.Completion{Text: "green and", FinishReason: "length"}},
		{Question: q, Completion: &sdk.Completion{Text: "azure"}, Judgement: &sdk.Judgement{AnswerOk: true, WellFormed: true, Consistent: true}},
		{Question: q},
	} {
		if err := stream.Send(&pluginv1.ScoreRequest{Message: &pluginv1.ScoreRequest_Answer{Answer: a}}); err != nil {
			t.Fatal(err)
		}
	}
	resp, err := stream.CloseAndRecv()
	if err != nil {
		t.Fatal(err)
	}
	s := resp.GetScores()
	if len(s) != 4 || s[0].GetAccuracy() != 1 || s[1].GetAccuracy() != 0 || s[1].GetCoherence() != 0 || s[2].GetAccuracy() != 1 {
		t.Errorf("%v", s)
	}
	if s[3].Accuracy != nil {
		t.Errorf("an answer that is not there scores %v", s[3])
	}
}

func TestValidate(t *testing.T) {
	if d := (config{MaxChars: 1}).Validate(); len(d) != 0 {
		t.Errorf("%v", d)
	}
	if d := (config{}).Validate(); len(d) != 1 {
		t.Errorf("%v", d)
	}
}
