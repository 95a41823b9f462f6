package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

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

// questions are what the evaluator prepares, at least one.
func (s *subject) questions(ctx context.Context) ([]*pluginv1.Question, error) {
	all, err := s.prepare(ctx, s.host)
	if err == nil && len(all) == 0 {
		err = notChecked("it makes no questions: give it a file of its own with --questions")
	}
	return all, err
}

func evaluatorPrepare(ctx context.Context, s *subject) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	questions, err := s.questions(ctx)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, q := range questions {
		if wrong := contract.Question(q); wrong != "" {
			return errors.New(wrong)
		}
		id := q.Split + "/" + q.Prompt.Id
		switch {
		case seen[id]:
			return fmt.Errorf("two questions of split %s have the identifier %q", q.Split, q.Prompt.Id)
		case q.Prompt.Text == "":
			return fmt.Errorf("question %q has no prompt", id)
		case q.Reference == "":
			return fmt.Errorf("question %q has no reference", id)
		}
		seen[id] = true
	}
	return nil
}

// scored holds the scores of answers to them: one each, in order, each of them a number.
func (s *subject) scored(ctx context.Context, answers []*pluginv1.Answer) ([]*pluginv1.QuestionScore, error) {
	all, err := s.scores(ctx, s.host, answers)
	if err != nil {
		return nil, err
	}
	for i, x := range all[:min(len(all), len(answers))] {
		if want := answers[i].GetQuestion().GetPrompt().GetId(); x.PromptId != want {
			return nil, fmt.Errorf("score %d is for %q, and %q is next", i+1, x.PromptId, want)
		}
		if wrong := contract.Score(x); wrong != "" {
			return nil, errors.New(wrong)
		}
	}
	if len(all) != len(answers) {
		return nil, fmt.Errorf("%d scores of %d answers", len(all), len(answers))
	}
	return all, nil
}

func evaluatorScore(ctx context.Context, s *subject) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	questions, err := s.questions(ctx)
	if err != nil {
		return err
	}
	answers := answersTo(questions)
	all, err := s.scored(ctx, answers)
	if err != nil {
		return err
	}
	of := map[*pluginv1.Answer]*pluginv1.QuestionScore{}
	for i, a := range answers {
		of[a] = all[i]
	}
	slices.Reverse(answers)
	for _, some := range [][]*pluginv1.Answer{answers, answers[:1], nil} {
		again, err := s.scored(ctx, some)
		if err != nil {
			return fmt.Errorf("%d answers, the last first: %w", len(some), err)
		}
		for i, x := range again {
			if !proto.Equal(x, of[some[i]]) {
				return fmt.Errorf("the score of %q depends on what is scored before it, or beside it", x.PromptId)
			}
		}
	}
	return nil
}

func evaluatorUnavailable(ctx context.Context, s *subject) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	questions, err := s.questions(ctx)
	if err != nil {
		return err
	}
	var silent []*pluginv1.Answer
	for _, q := range questions {
		silent = append(silent, &pluginv1.Answer{Question: q})
	}
	all, err := s.scored(ctx, silent)
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

// evaluatorUnicode has answers scored that are hard to carry, each in a call of its own.
func evaluatorUnicode(ctx context.Context, s *subject) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	questions, err := s.questions(ctx)
	if err != nil {
		return err
	}
	for _, text := range append(slices.Clone(hard), strings.Repeat(sum(7)+"\n", 1<<20/len(sum(7)))) {
		a := answersTo(questions[:1])
		a[0].Completion.Text = text
		if _, err := s.scored(ctx, a); err != nil {
			return fmt.Errorf("the answer %q: %w", clip(text), err)
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
