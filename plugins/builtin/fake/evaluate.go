package fake

import (
	"context"

	"jupiter/plugins/builtin/panel"
	"jupiter/plugins/sdk"
)

// evaluatorConfig configures the evaluator, which is panel with faults.
type evaluatorConfig struct {
	Quality float64 `jupiter:"quality" default:"1" desc:"Share of answers that can be scored; the others have no scores at all."`
	Faults
}

func evaluatorStage() sdk.Stage {
	return sdk.Evaluator("fake", options("Scores like panel."), evaluator{})
}

type evaluator struct{}

func (evaluator) Prepare(ctx context.Context, c *sdk.Call, cfg evaluatorConfig, req *sdk.PrepareRequest, emit func([]*sdk.Question) error) error {
	n := uint64(0)
	return panel.Prepare(ctx, c, req, func(questions []*sdk.Question) error {
		for range questions {
			n++
			if err := cfg.before(ctx, n); err != nil {
				return err
			}
		}
		return emit(questions)
	})
}

func (evaluator) Score(ctx context.Context, _ *sdk.Call, cfg evaluatorConfig, answers []*sdk.Answer) ([]*sdk.QuestionScore, error) {
	for i := range answers {
		if err := cfg.before(ctx, uint64(i)+1); err != nil {
			return nil, err
		}
	}
	scores, err := panel.Score(panel.Config{}, answers)
	for _, s := range scores {
		if !happens(cfg.Quality, s.GetPromptId(), 0) {
			s.Accuracy, s.Coherence, s.Domain = nil, nil, nil
			s.Reasons = []string{"fake"}
		}
	}
	return scores, err
}
