package runtime

import (
	"context"
	"errors"
	"fmt"

	"jupiter/plan/addr"
	"jupiter/plugins/proto/pluginv1"
)

// Sampled is one answer to a prompt, with what the domain's verifier makes of it.
type Sampled struct {
	Text             string `json:"text"`
	Finish           string `json:"finish"`            // stop, length
	PromptTokens     uint64 `json:"prompt_tokens"`     // 0: the generator does not say
	CompletionTokens uint64 `json:"completion_tokens"` // the same
	Judged           bool   `json:"judged"`            // a verifier looked at it
	OK               bool   `json:"ok"`                // every step and the answer are right
	Reason           string `json:"reason,omitempty"`
}

// SampleOptions say what to ask and how.
type SampleOptions struct {
	Prompt   Prompt
	N        int
	Sampling Sampling
	Seed     uint64
	Version  uint64                        // 0: the generator in use
	Piece    func(answer int, text string) // unless nil, told of answers while they are written, where the generator shows it
}

// Sample asks a generator of a cycle's history, and returns its answers and its version.
func (r *Runner) Sample(ctx context.Context, cycle addr.Address, o SampleOptions) ([]Sampled, uint64, error) {
	m, err := r.Model(ctx, cycle, o.Version)
	if err != nil {
		return nil, 0, err
	}
	ask := Ask{Sampling: o.Sampling, Seed: o.Seed}
	for range max(o.N, 1) {
		ask.Prompts = append(ask.Prompts, o.Prompt)
	}
	if o.Piece != nil {
		ask.Piece = func(i int, p Piece) error { o.Piece(i, p.Text); return nil }
	}
	var out []Sampled
	err = r.Ask(ctx, m, ask, func(_ int, c Completed) error {
		out = append(out, Sampled{Text: c.Text, Finish: c.Finish, PromptTokens: c.PromptTokens, CompletionTokens: c.CompletionTokens})
		return nil
	})
	if err != nil {
		return nil, m.Version, err
	}
	return out, m.Version, r.judge(ctx, m, o.Prompt.Text, out)
}

// Model gives a generator of a cycle's history; version 0 is the one in use.
func (r *Runner) Model(ctx context.Context, cycle addr.Address, version uint64) (Model, error) {
	c := r.cycle(cycle)
	if c == nil {
		return Model{}, fmt.Errorf("%s is not in the configuration", cycle)
	}
	f, err := r.Facts(ctx, cycle)
	if err != nil {
		return Model{}, err
	}
	if version == 0 {
		version = f.Current
	}
	for _, g := range f.Generators {
		if g.Version == version {
			return askable(c, g, f.Current), nil
		}
	}
	return Model{}, missing(version)
}

// judge has the domain's verifier look at answers, where there is one.
func (r *Runner) judge(ctx context.Context, m Model, prompt string, answers []Sampled) (err error) {
	if m.of.Domain.Verifier == nil {
		return nil
	}
	j, err := r.asking(ctx, m, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.cleanup()) }()
	var items []*pluginv1.VerifyItem
	for i, a := range answers {
		items = append(items, &pluginv1.VerifyItem{Id: fmt.Sprint(i), Prompt: prompt, Text: a.Text})
	}
	js, err := j.judgements(ctx, m.of.Domain.Verifier, items)
	for i, jd := range js {
		answers[i].Judged, answers[i].OK, answers[i].Reason = true, passes(jd), jd.Reason
	}
	return err
}
