package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"google.golang.org/protobuf/proto"

	"jupiter/plugins/contract"
	"jupiter/plugins/host"
	"jupiter/plugins/proto/pluginv1"
)

func (s *subject) prepare(ctx context.Context, h *host.Host) (all []*pluginv1.Question, err error) {
	split, err := s.split()
	if err != nil {
		return nil, err
	}
	call, err := s.call(h)
	if err != nil {
		return nil, err
	}
	on, err := s.on(ctx, h)
	if err != nil {
		return nil, err
	}
	stream, err := on.Evaluator().Prepare(ctx, &pluginv1.PrepareRequest{Call: call, Splits: map[string]*pluginv1.Artifact{"gate": split}})
	if err != nil {
		return nil, err
	}
	err = each(stream.Recv, func(r *pluginv1.PrepareResponse) error { all = append(all, r.Questions...); return nil })
	return all, err
}

func (s *subject) scores(ctx context.Context, h *host.Host, answers []*pluginv1.Answer) ([]*pluginv1.QuestionScore, error) {
	call, err := s.call(h)
	if err != nil {
		return nil, err
	}
	stream, err := s.openScore(ctx, h, call)
	if err != nil {
		return nil, err
	}
	for _, a := range answers {
		if err := stream.Send(&pluginv1.ScoreRequest{Message: &pluginv1.ScoreRequest_Answer{Answer: a}}); errors.Is(err, io.EOF) {
			break // CloseAndRecv has the reason
		} else if err != nil {
			return nil, err
		}
	}
	r, err := stream.CloseAndRecv()
	return r.GetScores(), err
}

// scoring is a call of Score.
type scoring interface {
	Send(*pluginv1.ScoreRequest) error
	CloseSend() error
	CloseAndRecv() (*pluginv1.ScoreResponse, error)
}

func (s *subject) openScore(ctx context.Context, h *host.Host, call *pluginv1.Call) (scoring, error) {
	on, err := s.on(ctx, h)
	if err != nil {
		return nil, err
	}
	stream, err := on.Evaluator().Score(ctx)
	if err != nil {
		return nil, err
	}
	if err := stream.Send(&pluginv1.ScoreRequest{Message: &pluginv1.ScoreRequest_Call{Call: call}}); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return stream, nil
}

// answersTo are right and wrong answers in turn, with likelihoods.
func answersTo(questions []*pluginv1.Question) []*pluginv1.Answer {
	var all []*pluginv1.Answer
	for i, q := range questions {
		a := &pluginv1.Answer{Question: q, Completion: &pluginv1.Completion{PromptId: q.GetPrompt().GetId(), Text: q.Reference, FinishReason: "stop"}}
		if i%2 == 1 {
			a.Completion.Text = "no idea"
		}
		for k := range 1 + len(q.Distractors) {
			a.Likelihoods = append(a.Likelihoods, &pluginv1.Likelihood{SumLogprob: -1 - float64((i+k)%3), Tokens: 2, Bytes: 5})
		}
		all = append(all, a)
	}
	return all
}

func (s *subject) plainEvaluate(ctx context.Context, h *host.Host, t *transcript) error {
	questions, err := s.prepare(ctx, h)
	if err != nil {
		return err
	}
	for _, q := range questions {
		t.add(q)
	}
	scores, err := s.scores(ctx, h, answersTo(questions))
	for _, x := range scores {
		t.add(x)
	}
	return err
}

func evaluatorPrepare(ctx context.Context, s *subject) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	questions, err := s.prepare(ctx, s.host)
	if err != nil {
		return err
	}
	if len(questions) == 0 {
		return notChecked("it makes no questions: give it a file of its own with --questions")
	}
	seen := map[string]bool{}
	for i, q := range questions {
		id := q.GetPrompt().GetId()
		switch {
		case id == "":
			return fmt.Errorf("question %d has no identifier", i+1)
		case seen[id]:
			return fmt.Errorf("two questions have the identifier %q", id)
		case q.GetPrompt().GetText() == "":
			return fmt.Errorf("question %q has no prompt", id)
		case q.Reference == "":
			return fmt.Errorf("question %q has no reference", id)
		}
		seen[id] = true
	}
	return nil
}

func evaluatorScore(ctx context.Context, s *subject) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	questions, err := s.prepare(ctx, s.host)
	if err != nil {
		return err
	}
	if len(questions) == 0 {
		return notChecked("there are no questions, see evaluator-prepare")
	}
	answers := answersTo(questions)
	all, err := s.scores(ctx, s.host, answers)
	if err != nil {
		return err
	}
	of := map[string]*pluginv1.QuestionScore{}
	for _, x := range all {
		if !slices.ContainsFunc(questions, func(q *pluginv1.Question) bool { return q.GetPrompt().GetId() == x.PromptId }) {
			return fmt.Errorf("a score is for %q, which was not answered", x.PromptId)
		}
		if of[x.PromptId] != nil {
			return fmt.Errorf("two scores are for %q", x.PromptId)
		}
		of[x.PromptId] = x
		if wrong := contract.Score(x); wrong != "" {
			return errors.New(wrong)
		}
	}
	slices.Reverse(answers)
	again, err := s.scores(ctx, s.host, answers)
	if err != nil {
		return err
	}
	alone, err := s.scores(ctx, s.host, answers[:1])
	if err != nil {
		return err
	}
	for _, x := range append(again, alone...) {
		if !proto.Equal(x, of[x.PromptId]) {
			return fmt.Errorf("the score of %q depends on what is scored before it, or beside it", x.PromptId)
		}
	}
	return nil
}

func evaluatorUnavailable(ctx context.Context, s *subject) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	questions, err := s.prepare(ctx, s.host)
	if err != nil {
		return err
	}
	var silent []*pluginv1.Answer
	for _, q := range questions {
		silent = append(silent, &pluginv1.Answer{Question: q})
	}
	if len(silent) == 0 {
		return notChecked("there are no questions, see evaluator-prepare")
	}
	all, err := s.scores(ctx, s.host, silent)
	if err != nil {
		return err
	}
	for _, x := range all {
		if x.Accuracy != nil || x.Domain != nil {
			return fmt.Errorf("%q was not answered, and has a score: %s", x.PromptId, short(x))
		}
	}
	return nil
}

// beginScore sends one answer, and waits before the next.
func (s *subject) beginScore(ctx context.Context, h *host.Host, call *pluginv1.Call) (*going, error) {
	stream, err := s.openScore(ctx, h, call)
	if err != nil {
		return nil, err
	}
	a := &pluginv1.Answer{Question: &pluginv1.Question{Prompt: &pluginv1.Prompt{Id: "q", Text: "2 + 3 ="}, Reference: "5"}, Completion: &pluginv1.Completion{Text: "5"}}
	if err := stream.Send(&pluginv1.ScoreRequest{Message: &pluginv1.ScoreRequest_Answer{Answer: a}}); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	sent := false
	return &going{
		close: func() error { return nil }, // CloseAndRecv does it
		next: func() error {
			if !sent { // the answer comes after the last request: there is none in the middle
				sent = true
				return nil
			}
			if _, err := stream.CloseAndRecv(); err != nil {
				return err
			}
			return io.EOF
		},
	}, nil
}
