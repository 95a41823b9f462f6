package fake

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jupiter/plugins/sdk"
)

// TestEvaluate answers a split with models of two qualities, by answer and by likelihood.
func TestEvaluate(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 400 {
		fmt.Fprintf(&b, "{\"prompt\":%q,\"reference\":\"%d\",\"distractors\":[\"%d\",\"%d\",\"%d\"]}\n", Prompt(uint64(i)), i, i+1, i+2, i+3)
	}
	path := filepath.Join(t.TempDir(), "gate.jsonl")
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	var questions []*sdk.Question
	req := &sdk.PrepareRequest{Samples: 300, Splits: map[string]*sdk.Artifact{"gate": {Path: path}}}
	err := evaluator{}.Prepare(t.Context(), &sdk.Call{}, evaluatorConfig{}, req, func(q []*sdk.Question) error {
		questions = append(questions, q...)
		return nil
	})
	if err != nil || len(questions) != 300 {
		t.Fatalf("%d questions, %v; want the cap of 300", len(questions), err)
	}
	for _, quality := range []float64{0.3, 0.8} {
		var answers []*sdk.Answer
		for _, q := range questions {
			a := &sdk.Answer{Question: q, Completion: &sdk.Completion{Text: answer(q.Prompt.Text, quality, 0)}}
			a.Judgement = judge(&sdk.VerifyItem{Prompt: q.Prompt.Text, Text: a.Completion.Text}, 1)
			item := &sdk.LikelihoodItem{Prompt: q.Prompt.Text, Continuations: append([]string{q.Reference}, q.Distractors...), End: true}
			err := generator{}.Score(t.Context(), &sdk.Call{}, generatorConfig{Quality: quality}, nil, []*sdk.LikelihoodItem{item}, func(e *sdk.LikelihoodEvent) error {
				a.Likelihoods = e.Likelihoods
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			answers = append(answers, a)
		}
		scores, err := evaluator{}.Score(t.Context(), &sdk.Call{}, evaluatorConfig{Quality: 1}, answers)
		if err != nil {
			t.Fatal(err)
		}
		right := 0.0
		for i, s := range scores {
			if s.PromptId != questions[i].Prompt.Id || s.Accuracy == nil || s.Coherence == nil || s.Domain == nil {
				t.Fatalf("score %d is incomplete: %v", i, s)
			}
			if (*s.Accuracy == 1) != (*s.Domain == 1) {
				t.Errorf("%s: accuracy %g, domain %g", questions[i].Key, *s.Accuracy, *s.Domain)
			}
			right += *s.Accuracy
		}
		if share := right / float64(len(scores)); math.Abs(share-quality) > 0.08 {
			t.Errorf("a model of quality %g scores %.3f", quality, share)
		}
		scores, err = evaluator{}.Score(t.Context(), &sdk.Call{}, evaluatorConfig{Quality: 0}, answers)
		if err != nil || scores[0].Accuracy != nil || scores[0].Coherence != nil || scores[0].Domain != nil {
			t.Errorf("an evaluator of quality 0 scores %v, %v", scores[0], err)
		}
	}
}

func TestPrepareRefuses(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "dev.jsonl")
	if err := os.WriteFile(path, []byte("{\"prompt\":\"fake 1:\",\"reference\":\"1\"}\n{\"prompt\":\"real 1:\",\"reference\":\"1\"}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		req  *sdk.PrepareRequest
		want string
	}{
		{&sdk.PrepareRequest{Splits: map[string]*sdk.Artifact{"dev": {Path: path}}}, "dev.jsonl:2"},
		{&sdk.PrepareRequest{Custom: &sdk.Artifact{Path: path}}, "splits alone"},
		{&sdk.PrepareRequest{Benchmarks: []string{"x"}}, "splits alone"},
	} {
		err := evaluator{}.Prepare(t.Context(), &sdk.Call{}, evaluatorConfig{}, tc.req, func([]*sdk.Question) error { return nil })
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("error %v, want one with %q", err, tc.want)
		}
	}
}
