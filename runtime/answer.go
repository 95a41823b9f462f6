package runtime

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"jupiter/plan/config"
	"jupiter/plugins/host"
	"jupiter/plugins/proto/pluginv1"
)

// answersMediaType is a file of answers, one JSON line each.
const answersMediaType = "application/vnd.jupiter.answers+jsonl"

// answerBlock is how many questions are answered between two durable points, and boundedBlock where a budget may end the run
// in between: what a block has not finished is paid for again. Answers do not depend on it; larger blocks are faster.
const (
	answerBlock  = 256
	boundedBlock = 64
)

// answer is what one model said to one question, and what is known of it before it is scored.
type answer struct {
	Side        string       `json:"side"` // challenger, incumbent
	ID          string       `json:"id"`
	Text        string       `json:"text"`
	Finish      string       `json:"finish"`
	Tokens      uint64       `json:"tokens,omitempty"`
	Judged      bool         `json:"judged,omitempty"` // a verifier looked at it
	WellFormed  bool         `json:"well_formed,omitempty"`
	Consistent  bool         `json:"consistent,omitempty"`
	StepsOK     bool         `json:"steps_ok,omitempty"`
	AnswerOK    bool         `json:"answer_ok,omitempty"`
	Reason      string       `json:"reason,omitempty"`
	Likelihoods []likelihood `json:"likelihoods,omitempty"` // of the reference, then the distractors
	ScoredBy    string       `json:"scored_by,omitempty"`   // who gave the likelihoods, where it is not who answered
	Choice      *string      `json:"choice,omitempty"`      // what was said where the options were lettered
}

type likelihood struct {
	LogProb float64 `json:"logprob"` // natural logarithm, summed
	Tokens  uint64  `json:"tokens"`
	Bytes   uint64  `json:"bytes"`
}

func (a answer) proto(q question) *pluginv1.Answer {
	p := &pluginv1.Answer{Question: q.proto(), Completion: &pluginv1.Completion{PromptId: q.ID, Text: a.Text, FinishReason: a.Finish, CompletionTokens: a.Tokens}}
	if a.Judged {
		p.Judgement = &pluginv1.Judgement{Id: q.ID, WellFormed: a.WellFormed, Consistent: a.Consistent, StepsOk: a.StepsOK, AnswerOk: a.AnswerOK, Reason: a.Reason}
	}
	if a.Choice != nil {
		p.Choice = &pluginv1.Completion{PromptId: q.ID, Text: *a.Choice, FinishReason: "stop"}
	}
	for _, l := range a.Likelihoods {
		p.Likelihoods = append(p.Likelihoods, &pluginv1.Likelihood{SumLogprob: l.LogProb, Tokens: l.Tokens, Bytes: l.Bytes})
	}
	return p
}

// contestant is a model under evaluation.
type contestant struct {
	side  string
	model *pluginv1.Artifact // nil: the runner's configuration names it
}

// ask lets each contestant answer all questions, greedily and with the same settings. Blocks of answers are durable, and of
// the block in work what was answered is, so that no question is paid for twice.
func (j *job) ask(ctx context.Context, qs []question, sides []contestant) ([]answer, error) {
	judges := j.a.Judges
	runner, err := j.r.stage(ctx, judges.Runner)
	if err != nil {
		return nil, err
	}
	canScore, err := j.scorable(ctx, runner, sides)
	if err != nil {
		return nil, err
	}
	way := means{scores: canScore}
	if !canScore {
		if way.letters, err = j.chooses(ctx, runner, sides, qs); err != nil {
			if j.r.stopping.Load() || ctx.Err() != nil {
				return nil, ErrInterrupted
			}
			return nil, err
		}
	}
	total := len(qs) * len(sides)
	k, err := j.answering(runner, total)
	if err != nil {
		return nil, err
	}
	size := answerBlock
	if j.meter.mayEnd() {
		size = boundedBlock
	}
	for len(k.all) < total {
		if j.r.stopping.Load() {
			return nil, ErrInterrupted
		}
		side := sides[len(k.all)/len(qs)]
		from := len(k.all) % len(qs)
		block, err := j.answerBlock(ctx, runner, side, qs[from:min(from+max(size, len(k.open)), len(qs))], way, k)
		if err != nil {
			err = errors.Join(err, k.keep(context.WithoutCancel(ctx)))
			if j.r.stopping.Load() || ctx.Err() != nil {
				return nil, ErrInterrupted
			}
			return nil, fmt.Errorf("%s: %w", side.side, err)
		}
		if err := k.close(ctx, block); err != nil {
			return nil, err
		}
	}
	return k.all, nil
}

// means are the ways in which it can be found out what contestants know besides what they answer: by likelihoods, by letters, or
// not at all.
type means struct{ scores, letters bool }

// answerBlock asks one model some questions: completions, the verifier's judgement, likelihoods or letters.
func (j *job) answerBlock(ctx context.Context, runner *host.Stage, c contestant, qs []question, way means, k *answering) ([]answer, error) {
	index := make(map[string]int, len(qs))
	var prompts []*pluginv1.Prompt
	for i, q := range qs {
		index[q.ID] = i
		if i >= len(k.open) {
			prompts = append(prompts, q.prompt())
		} else if a := k.open[i]; a.Side != c.side || a.ID != q.ID {
			return nil, fmt.Errorf("answer %d of what was saved is %s's to %q, not %s's to %q", i, a.Side, a.ID, c.side, q.ID)
		}
	}
	if len(prompts) > 0 {
		err := complete(ctx, j, runner, j.a.Judges.Runner, c.model, prompts, func(done *pluginv1.Completion) error {
			return k.got(ctx, answer{Side: c.side, ID: done.PromptId, Text: done.Text, Finish: done.FinishReason, Tokens: done.CompletionTokens})
		})
		if err != nil {
			return nil, err
		}
	}
	if n := len(k.open); n < len(qs) {
		return nil, runner.Breach("Complete", "prompt "+qs[n].ID, "it ends without an answer")
	}
	block := slices.Clone(k.open)
	items := make([]*pluginv1.VerifyItem, len(qs))
	for i, q := range qs {
		items[i] = &pluginv1.VerifyItem{Id: q.ID, Prompt: q.Prompt, Text: block[i].Text, Reference: q.Reference}
	}
	if v := j.a.Judges.Verifier; v != nil {
		js, err := j.judgements(ctx, v, items)
		if err != nil {
			return nil, err
		}
		for i, jd := range js {
			b := &block[i]
			b.Judged, b.WellFormed, b.Consistent, b.StepsOK, b.AnswerOK, b.Reason = true, jd.WellFormed, jd.Consistent, jd.StepsOk, jd.AnswerOk, jd.Reason
		}
	}
	if way.letters {
		err := j.choose(ctx, runner, c, qs, func(i int, text string) { block[i].Choice = &text })
		if err != nil {
			return nil, err
		}
	}
	if !way.scores {
		return block, nil
	}
	likely := make([]*pluginv1.LikelihoodItem, len(qs))
	for i, q := range qs {
		likely[i] = &pluginv1.LikelihoodItem{PromptId: q.ID, Prompt: q.Prompt, Continuations: append([]string{q.Reference}, q.Distractors...), End: true}
	}
	return block, likelihoods(ctx, j, runner, j.a.Judges.Runner, c.model, likely, func(e *pluginv1.LikelihoodEvent) error {
		i := index[e.PromptId]
		block[i].ScoredBy = e.Scorer
		for _, l := range e.Likelihoods {
			block[i].Likelihoods = append(block[i].Likelihoods, likelihood{l.SumLogprob, l.Tokens, l.Bytes})
		}
		return nil
	})
}

// complete asks a generator for a greedy answer to each prompt. What does not say why it ended has stopped by itself.
func complete(ctx context.Context, j *job, st *host.Stage, s *config.Stage, model *pluginv1.Artifact, prompts []*pluginv1.Prompt, each func(*pluginv1.Completion) error) error {
	call, err := j.call(s.Type, s.Body)
	if err != nil {
		return err
	}
	use := j.use(s)
	stream, err := st.Generator().Complete(ctx)
	if err != nil {
		return err
	}
	for from := 0; from < len(prompts); from += answerBlock {
		req := &pluginv1.CompleteRequest{Prompts: prompts[from:min(from+answerBlock, len(prompts))]}
		if from == 0 {
			// Greedy, whatever the block says of its sampling: both contestants decode alike.
			req.Call, req.Model, req.Sampling = call, model, &pluginv1.Sampling{Temperature: 0}
			req.Call.Limit = use.limit()
		}
		if err := stream.Send(req); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	for {
		e, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		use.heard(e.GetProgress())
		if c := e.GetCompletion(); c != nil { // the host has seen to it that it answers what was asked
			use.saw(c.PromptTokens, c.CompletionTokens)
			c.FinishReason = cmp.Or(c.FinishReason, "stop")
			err = each(c)
		} else if d := e.GetDiagnostic(); d != nil {
			err = j.diagnostic(st, d)
		}
		if err != nil {
			return err
		}
	}
}

// judgements asks a verifier about each item; the answers come in the items' order. An item that it does not survive is
// judged as wrong in everything, for the reason quarantined.
func (j *job) judgements(ctx context.Context, v *config.Stage, items []*pluginv1.VerifyItem) ([]*pluginv1.Judgement, error) {
	all := make([]*pluginv1.Judgement, len(items))
	var asked []*pluginv1.VerifyItem
	var places []int
	for i, it := range items {
		if j.poison.out[verifyKey(it)] {
			all[i] = &pluginv1.Judgement{Id: it.Id, Reason: quarantined}
			continue
		}
		asked, places = append(asked, it), append(places, i)
	}
	js, err := j.askVerifier(ctx, v, asked)
	if err != nil {
		return nil, err
	}
	for i, jd := range js {
		all[places[i]] = jd
	}
	return all, nil
}

func verifyKey(it *pluginv1.VerifyItem) [32]byte { return itemKey(it.Prompt, it.Text, it.Reference) }

func (j *job) askVerifier(ctx context.Context, v *config.Stage, items []*pluginv1.VerifyItem) ([]*pluginv1.Judgement, error) {
	st, err := j.r.stage(ctx, v)
	if err != nil {
		return nil, err
	}
	call, err := j.call(v.Type, v.Body)
	if err != nil {
		return nil, err
	}
	stream, err := st.Verifier().Verify(ctx)
	if err != nil {
		return nil, err
	}
	pace := j.poison.pace(string(v.Addr))
	defer pace.stop()
	sent := make(chan error, 1)
	go func() { sent <- sendItems(stream, call, items, pace) }()
	var js []*pluginv1.Judgement
	for {
		e, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			pace.stop()
			<-sent
			return nil, j.poison.crashed(string(v.Addr), err, len(js), pace, func() [32]byte { return verifyKey(items[len(js)]) })
		}
		for _, d := range e.Diagnostics {
			if err := j.diagnostic(st, d); err != nil {
				return nil, err
			}
		}
		js = append(js, e.Judgements...)
		pace.answered(len(js))
	}
	if err := <-sent; err != nil {
		return nil, err
	}
	if len(js) != len(items) {
		return nil, st.Breach("Verify", "item "+items[len(js)].Id, "it ends after %d of %d judgements", len(js), len(items))
	}
	return js, nil
}

func sendItems(stream pluginv1.Verifier_VerifyClient, call *pluginv1.Call, items []*pluginv1.VerifyItem, p *pace) error {
	if err := stream.Send(&pluginv1.VerifyRequest{Message: &pluginv1.VerifyRequest_Call{Call: call}}); err != nil {
		return ignoreEOF(err)
	}
	for b := range batches(items, p) {
		if err := stream.Send(&pluginv1.VerifyRequest{Message: &pluginv1.VerifyRequest_Batch{Batch: &pluginv1.VerifyBatch{Items: b}}}); err != nil {
			return ignoreEOF(err)
		}
	}
	return stream.CloseSend()
}

// ignoreEOF drops the error of a stream that the other side closed: its reason comes from Recv.
func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
