package runtime

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"jupiter/plan/config"
	"jupiter/plugins/host"
	"jupiter/plugins/proto/pluginv1"
)

// scorable says whether all contestants can be scored by likelihood. Where one cannot, none is: what only one of them has is
// no comparison.
func (j *job) scorable(ctx context.Context, runner *host.Stage, sides []contestant) (bool, error) {
	if !slices.Contains(runner.Schema.Features, "score") {
		return false, nil
	}
	for _, c := range sides {
		nothing := func(*pluginv1.LikelihoodEvent) error { return nil }
		switch err := likelihoods(ctx, j, runner, j.a.Judges.Runner, c.model, nil, nothing); {
		case errors.Is(err, errors.ErrUnsupported):
			j.warn(fmt.Sprintf("likelihoods count as unavailable, for both contestants: %s: %v", c.side, err))
			return false, nil
		case err != nil && (j.r.stopping.Load() || ctx.Err() != nil):
			return false, ErrInterrupted
		case err != nil:
			return false, fmt.Errorf("%s: %w", c.side, err)
		}
	}
	return true, nil
}

// likelihoods asks a generator how likely it finds given continuations. What a continuation takes is known only once it is
// scored, and a call that scores has nothing to save: a budget that is used up on the way ends it at once. The error is
// errors.ErrUnsupported where this model cannot be scored.
func likelihoods(ctx context.Context, j *job, st *host.Stage, s *config.Stage, model *pluginv1.Artifact, items []*pluginv1.LikelihoodItem, each func(*pluginv1.LikelihoodEvent) error) error {
	call, err := j.call(s.Type, s.Body)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := st.Generator().Score(ctx)
	if err != nil {
		return err
	}
	for from := 0; from < max(1, len(items)); from += answerBlock { // with nothing to score it is asked whether it could
		req := &pluginv1.LikelihoodRequest{Items: items[from:min(from+answerBlock, len(items))]}
		if from == 0 {
			req.Call, req.Model = call, model
		}
		if err := stream.Send(req); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	got, use := 0, j.use(s)
	for {
		e, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			if got != len(items) {
				return st.Breach("Score", "prompt "+items[got].PromptId, "it ends after %d of %d likelihoods", got, len(items))
			}
			return nil
		}
		if host.Unsupported(err) {
			return fmt.Errorf("%w: %w", errors.ErrUnsupported, err)
		}
		if err != nil {
			return err
		}
		got++
		for _, l := range e.Likelihoods {
			use.saw(l.Tokens, 0) // what is scored is read
		}
		if err := each(e); err != nil {
			return err
		}
		if got < len(items) && j.r.exhausted.Load() != nil {
			return ErrInterrupted
		}
	}
}
