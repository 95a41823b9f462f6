package fake

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"

	"jupiter/plugins/sdk"
)

// evaluatorConfig configures the evaluator.
type evaluatorConfig struct {
	Quality float64 `jupiter:"quality" default:"1" desc:"Share of answers that can be scored; the others have no scores at all."`
	Faults
}

// Estimate says what answers and their scores take on disk.
func (evaluatorConfig) Estimate(req *sdk.EstimateRequest) (*sdk.EstimateResponse, error) {
	return &sdk.EstimateResponse{BytesWritten: 1200 * float64(req.GetItems()), PeakMemoryBytes: 1 << 20}, nil
}

func evaluatorStage() sdk.Stage {
	return sdk.Evaluator("fake", options("Reads splits of questions and scores answers to them."), evaluator{})
}

type evaluator struct{}

// Prepare reads the splits, files of JSON lines with prompt and reference and, where they are wanted, distractors. A
// prompt's identifier is a hash of the prompt, its key the prompt without its colon, as the verifier gives it. Samples
// caps the gate split, lowest identifiers first. It has no other benchmarks.
func (evaluator) Prepare(ctx context.Context, _ *sdk.Call, cfg evaluatorConfig, req *sdk.PrepareRequest, emit func([]*sdk.Question) error) error {
	if req.GetCustom() != nil || len(req.GetBenchmarks()) > 0 {
		return errors.New("the fake evaluator reads splits alone: no benchmarks, no custom evaluation file")
	}
	n := uint64(0)
	for _, split := range slices.Sorted(maps.Keys(req.GetSplits())) {
		questions, err := readQuestions(split, req.GetSplits()[split].GetPath())
		if err != nil {
			return err
		}
		if limit := req.GetSamples(); split == "gate" && limit > 0 && uint64(len(questions)) > limit {
			questions = questions[:limit]
		}
		for range questions {
			n++
			if err := cfg.before(ctx, n); err != nil {
				return err
			}
		}
		if err := emit(questions); err != nil {
			return err
		}
	}
	return nil
}

func readQuestions(split, path string) ([]*sdk.Question, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []*sdk.Question
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		var it struct {
			Prompt, Reference string
			Distractors       []string
		}
		if err := json.Unmarshal(lines.Bytes(), &it); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		if _, ok := Parse(it.Prompt); !ok || it.Reference == "" {
			return nil, fmt.Errorf("%s:%d: want a prompt such as %q and a reference", path, n, Prompt(1))
		}
		out = append(out, &sdk.Question{
			Prompt:    &sdk.Prompt{Id: fmt.Sprintf("%016x", hash(it.Prompt, 2)), Text: it.Prompt},
			Reference: it.Reference, Distractors: it.Distractors, Key: it.Prompt[:len(it.Prompt)-1], Split: split,
		})
	}
	slices.SortFunc(out, func(a, b *sdk.Question) int { return cmp.Compare(a.Prompt.Id, b.Prompt.Id) })
	return out, lines.Err()
}

// Score gives accuracy by the verifier or by equality with the reference, coherence as the mean of form and of the
// reference's mean probability a token, and domain knowledge as a multiple choice by likelihood, corrected for chance.
// What cannot be measured is absent.
func (evaluator) Score(ctx context.Context, _ *sdk.Call, cfg evaluatorConfig, answers []*sdk.Answer) ([]*sdk.QuestionScore, error) {
	out := make([]*sdk.QuestionScore, len(answers))
	for i, a := range answers {
		if err := cfg.before(ctx, uint64(i)+1); err != nil {
			return nil, err
		}
		out[i] = &sdk.QuestionScore{PromptId: a.GetQuestion().GetPrompt().GetId()}
		if !happens(cfg.Quality, out[i].PromptId, 0) {
			out[i].Reasons = []string{"fake"}
			continue
		}
		score(out[i], a)
	}
	return out, nil
}

func score(s *sdk.QuestionScore, a *sdk.Answer) {
	q, j, ls := a.GetQuestion(), a.GetJudgement(), a.GetLikelihoods()
	right, formed := a.GetCompletion().GetText() == q.GetReference(), true
	if j != nil {
		right, formed = j.GetAnswerOk(), j.GetWellFormed() && j.GetConsistent()
	}
	if a.GetCompletion() != nil {
		s.Accuracy, s.Coherence = number(right), number(formed)
	}
	if len(ls) == 0 || ls[0].GetTokens() == 0 {
		return
	}
	p := math.Exp(ls[0].GetSumLogprob() / float64(ls[0].GetTokens()))
	if s.Coherence != nil {
		p = (p + *s.Coherence) / 2
	}
	s.Coherence = &p
	if n := len(q.GetDistractors()); n > 0 && len(ls) == n+1 {
		best := !slices.ContainsFunc(ls[1:], func(l *sdk.Likelihood) bool { return l.GetSumLogprob() >= ls[0].GetSumLogprob() })
		chance := 1 / float64(n+1)
		corrected := (*number(best) - chance) / (1 - chance)
		s.Domain = &corrected
	}
}

func number(b bool) *float64 {
	x := 0.0
	if b {
		x = 1
	}
	return &x
}
