package panel

import (
	"fmt"
	"math"
	"slices"

	"jupiter/plugins/sdk"
)

// Reasons why a component is absent. Those why an answer is wrong are the verifier's.
const (
	NoAnswer      = "no_answer"      // nothing was generated for the item
	NoLikelihood  = "no_likelihood"  // the reference was not scored, or its likelihood is no finite number
	NoDistractors = "no_distractors" // nothing to choose from
	NoChoice      = "no_choice"      // neither were the options scored, nor was a letter asked for
)

// Score gives one score an answer, in order. It is an error when an answer has likelihoods for another number of options
// than its question has.
func Score(cfg Config, answers []*sdk.Answer) ([]*sdk.QuestionScore, error) {
	out := make([]*sdk.QuestionScore, len(answers))
	for i, a := range answers {
		q := a.GetQuestion()
		if n := len(a.GetLikelihoods()); n > 1 && n != 1+len(q.GetDistractors()) {
			return nil, fmt.Errorf("question %s has %d options and %d likelihoods", q.GetPrompt().GetId(), 1+len(q.GetDistractors()), n)
		}
		s := &sdk.QuestionScore{PromptId: q.GetPrompt().GetId(), SubScores: map[string]float64{}}
		scoreAccuracy(s, a)
		scoreCoherence(s, a, cfg.LikelihoodPer == perByte)
		scoreDomain(s, a)
		out[i] = s
	}
	return out, nil
}

func scoreAccuracy(s *sdk.QuestionScore, a *sdk.Answer) {
	j := a.GetJudgement()
	switch {
	case a.GetCompletion() == nil:
		s.Reasons = append(s.Reasons, NoAnswer)
	case j != nil:
		s.Accuracy = indicator(j.GetAnswerOk())
		s.SubScores["steps"] = *indicator(j.GetStepsOk())
		if r := j.GetReason(); r != "" {
			s.Reasons = append(s.Reasons, r)
		}
	default:
		s.Accuracy = indicator(normalise(a.GetCompletion().GetText()) == normalise(a.GetQuestion().GetReference()))
	}
}

func scoreCoherence(s *sdk.QuestionScore, a *sdk.Answer, perByte bool) {
	form, sum, parts := 0.0, 0.0, 0.0
	if j := a.GetJudgement(); j != nil && a.GetCompletion() != nil {
		form = *indicator(j.GetWellFormed() && j.GetConsistent())
		s.SubScores["form"] = form
		sum, parts = sum+form, parts+1
	}
	if p, ok := meanProbability(a.GetLikelihoods(), perByte); ok {
		s.SubScores["likelihood"] = p
		sum, parts = sum+p, parts+1
	} else {
		s.Reasons = append(s.Reasons, NoLikelihood)
	}
	if parts > 0 {
		mean := sum / parts
		s.Coherence = &mean
	}
}

// meanProbability is the geometric mean probability of the reference, per token or per byte, from 0 to 1.
func meanProbability(ls []*sdk.Likelihood, perByte bool) (float64, bool) {
	if len(ls) == 0 || !finite(ls[0]) {
		return 0, false
	}
	n := ls[0].GetTokens()
	if perByte {
		n = ls[0].GetBytes()
	}
	if n == 0 {
		return 0, false
	}
	return min(1, math.Exp(ls[0].GetSumLogprob()/float64(n))), true
}

func scoreDomain(s *sdk.QuestionScore, a *sdk.Answer) {
	options := 1 + len(a.GetQuestion().GetDistractors())
	ls := a.GetLikelihoods()
	var right bool
	switch {
	case options == 1:
		s.Reasons = append(s.Reasons, NoDistractors)
		return
	case len(ls) == options && !slices.ContainsFunc(ls, func(l *sdk.Likelihood) bool { return !finite(l) }):
		right = !slices.ContainsFunc(ls[1:], func(l *sdk.Likelihood) bool { return l.GetSumLogprob() >= ls[0].GetSumLogprob() })
	case a.GetChoice() != nil:
		_, want := sdk.Letters(a.GetQuestion())
		right = sdk.Chosen(a.GetChoice().GetText(), options) == want
	default:
		s.Reasons = append(s.Reasons, NoChoice)
		return
	}
	x := *indicator(right)
	s.SubScores["choice"] = x
	chance := 1 / float64(options)
	corrected := (x - chance) / (1 - chance)
	s.Domain = &corrected
}

func indicator(b bool) *float64 {
	x := 0.0
	if b {
		x = 1
	}
	return &x
}

func finite(l *sdk.Likelihood) bool {
	return !math.IsNaN(l.GetSumLogprob()) && !math.IsInf(l.GetSumLogprob(), 0)
}
