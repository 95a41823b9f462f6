package runtime

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"jupiter/plugins/proto/pluginv1"
	"jupiter/runtime/gate"
	"jupiter/state"
)

const itemsFile = "items.jsonl"

// itemScore is what one contestant reached on one question. A component that could not be measured is absent.
type itemScore struct {
	Accuracy  *float64 `json:"accuracy"`
	Coherence *float64 `json:"coherence"`
	Domain    *float64 `json:"domain"`
	Text      string   `json:"text"`
	Correct   bool     `json:"correct"`
}

// components are the scores as the gate knows them; none where the contestant was not scored at all.
func (s *itemScore) components() gate.Components {
	if s == nil {
		return gate.Components{}
	}
	return gate.Components{Accuracy: s.Accuracy, Coherence: s.Coherence, Domain: s.Domain}
}

// item is one question with what the contestants made of it: the record that a decision can be replayed from.
type item struct {
	ID         string     `json:"id"`
	Cluster    string     `json:"cluster,omitempty"`
	Challenger *itemScore `json:"challenger"`
	Incumbent  *itemScore `json:"incumbent,omitempty"`
}

// evaluated is an evaluation's means.
type evaluated struct {
	Split      string        `json:"split"`
	N          int           `json:"n"`
	Challenger state.Scores  `json:"challenger"`
	Incumbent  *state.Scores `json:"incumbent,omitempty"`
	ScoredBy   string        `json:"scored_by,omitempty"` // who gave the likelihoods, where it is not who answered
}

func (e evaluated) String() string {
	s := e.scores()
	if e.ScoredBy != "" {
		s += ", likelihoods by " + e.ScoredBy
	}
	return s
}

func (e evaluated) scores() string {
	show := func(v *float64) string {
		if v == nil {
			return "unavailable"
		}
		return strconv.FormatFloat(*v, 'f', 4, 64)
	}
	if e.Incumbent == nil {
		return fmt.Sprintf("%s %d: score %s, accuracy %s", e.Split, e.N, show(e.Challenger.Score), show(e.Challenger.Accuracy))
	}
	return fmt.Sprintf("%s %d: candidate %s, incumbent %s", e.Split, e.N, show(e.Challenger.Score), show(e.Incumbent.Score))
}

// evaluate lets candidate and incumbent answer the same questions in the same run.
func (j *job) evaluate(ctx context.Context) (*result, error) {
	return j.scores(ctx, "challenger", "incumbent")
}

// validate scores one model alone.
func (j *job) validate(ctx context.Context) (*result, error) { return j.scores(ctx, "challenger") }

func (j *job) scores(ctx context.Context, sides ...string) (*result, error) {
	split := j.id.Parts["split"]
	bench, err := j.path("benchmark")
	if err != nil {
		return nil, err
	}
	qs, err := readQuestions(bench, split)
	if err != nil {
		return nil, err
	}
	var cs []contestant
	for _, s := range sides {
		m, err := j.model(s)
		if err != nil {
			return nil, err
		}
		cs = append(cs, contestant{s, m})
	}
	answers, err := j.ask(ctx, qs, cs)
	if err != nil {
		return nil, err
	}
	items := make([]item, len(qs))
	for i, q := range qs {
		items[i] = item{ID: q.ID, Cluster: q.Cluster}
	}
	sum := evaluated{Split: split, N: len(qs), ScoredBy: scorers(answers)}
	for n, s := range sides {
		scores, err := j.score(ctx, qs, answers[n*len(qs):(n+1)*len(qs)])
		if err != nil {
			return nil, err
		}
		for i := range items {
			if s == "challenger" {
				items[i].Challenger = &scores[i]
			} else {
				items[i].Incumbent = &scores[i]
			}
		}
		mean := j.mean(scores)
		if s == "challenger" {
			sum.Challenger = mean
		} else {
			sum.Incumbent = &mean
		}
	}
	if err := writeLines(j.work+"/"+itemsFile, items); err != nil {
		return nil, err
	}
	if err := writeLines(j.work+"/answers.jsonl", answers); err != nil {
		return nil, err
	}
	return &result{detail: sum, outputs: map[string]put{
		"items":   {path: itemsFile, mediaType: "application/vnd.jupiter.items+jsonl"},
		"answers": {path: "answers.jsonl", mediaType: answersMediaType},
	}}, nil
}

// scorers names those who gave the likelihoods of answers in the place of who answered.
func scorers(answers []answer) string {
	seen := map[string]bool{}
	for _, a := range answers {
		if a.ScoredBy != "" {
			seen[a.ScoredBy] = true
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(seen)), ", ")
}

// score asks the evaluator for each answer's components.
func (j *job) score(ctx context.Context, qs []question, answers []answer) ([]itemScore, error) {
	ev := j.a.Judges.Evaluator
	st, err := j.r.stage(ctx, ev)
	if err != nil {
		return nil, err
	}
	call, err := j.call(ev.Type, ev.Body)
	if err != nil {
		return nil, err
	}
	stream, err := st.Evaluator().Score(ctx)
	if err != nil {
		return nil, err
	}
	if err := stream.Send(&pluginv1.ScoreRequest{Message: &pluginv1.ScoreRequest_Call{Call: call}}); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	for i, q := range qs {
		if answers[i].ID != q.ID {
			return nil, fmt.Errorf("answer %d is to %q, not to %q", i, answers[i].ID, q.ID)
		}
		if err := stream.Send(&pluginv1.ScoreRequest{Message: &pluginv1.ScoreRequest_Answer{Answer: answers[i].proto(q)}}); err != nil {
			if errors.Is(err, io.EOF) {
				break // the reason comes with the response
			}
			return nil, err
		}
	}
	resp, err := stream.CloseAndRecv()
	if err != nil {
		return nil, err
	}
	for _, d := range resp.Diagnostics {
		if err := j.diagnostic(st, d); err != nil {
			return nil, err
		}
	}
	if len(resp.Scores) < len(qs) { // it was asked to stop: the host takes no less otherwise
		return nil, ErrInterrupted
	}
	scores := make([]itemScore, len(qs))
	for i, s := range resp.Scores { // one an answer, in order: the host has seen to it
		scores[i] = itemScore{Accuracy: s.Accuracy, Coherence: s.Coherence, Domain: s.Domain, Text: answers[i].Text, Correct: answers[i].AnswerOK}
	}
	return scores, nil
}

// mean gives a contestant's means, by the cycle's weights.
func (j *job) mean(scores []itemScore) state.Scores {
	items := make([]gate.Components, len(scores))
	for i := range scores {
		items[i] = scores[i].components()
	}
	return state.Scores(gate.Means(items, gate.Weights(j.a.Judges.Weights)))
}
