package llama

import (
	"context"

	"jupiter/plugins/builtin/llama/infer"
	"jupiter/plugins/sdk"
)

// Stream is Complete for who reads along. The texts of all such calls that run at the same time go through the model
// together, those of a call that comes later from the next token on: so that many readers with a prompt each are served about
// as fast as one call with many prompts. A completion is the same as Complete's.
func (g *generator) Stream(ctx context.Context, c *sdk.Call, cfg generatorConfig, model *sdk.Artifact, s *sdk.Sampling, prompts []*sdk.Prompt, piece func(*sdk.Piece) error, emit func(*sdk.Completion) error) error {
	m, shared, err := g.models.share(model, cfg.options())
	if err != nil {
		return err
	}
	sampling, err := cfg.sampling(s)
	if err != nil {
		return err
	}
	rs, err := requests(c, cfg, m.Tokenizer, prompts)
	if err != nil {
		return err
	}
	ps := make([]progress, len(prompts))
	for i, r := range rs {
		c.Spend(uint64(len(r.Prompt)), 0)
		ps[i] = progress{id: prompts[i].GetId(), draft: sdk.NewDraft(&sdk.Sampling{Stop: sampling.Stop})}
	}
	run := g.start(c, uint64(len(rs)), "completions")
	ctx, cancel := untilStopped(ctx, c)
	defer cancel()
	step := run.step(cancel)
	err = shared.Generate(ctx, rs, sampling, func(i int, t int32, logprob float32) error {
		step(1)
		tok, p := &sdk.Token{Id: uint32(t), Logprob: logprob}, &ps[i]
		if t != m.Tokenizer.EOS() && t != m.Tokenizer.EndTurn() {
			spelling := m.Tokenizer.Bytes(t)
			p.draft.Add(spelling)
			tok.Text = []byte(spelling)
		}
		p.tokens = append(p.tokens, tok)
		if text := p.draft.Piece(); text != "" {
			return piece(p.shown(text))
		}
		return nil
	}, func(r infer.Result) error {
		if p := &ps[r.Index]; len(p.tokens) > 0 {
			if err := piece(p.shown(p.draft.Piece())); err != nil {
				return err
			}
		}
		run.end(1)
		return emit(completion(prompts[r.Index], len(rs[r.Index].Prompt), r))
	})
	return unlessStopped(err, c)
}

// progress is how far a completion is.
type progress struct {
	id     string
	draft  *sdk.Draft
	tokens []*sdk.Token // that no piece has had yet
}

// shown is the next piece.
func (p *progress) shown(text string) *sdk.Piece {
	out := &sdk.Piece{PromptId: p.id, Text: text, Tokens: p.tokens}
	p.tokens = nil
	return out
}
