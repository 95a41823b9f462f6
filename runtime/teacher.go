package runtime

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"jupiter/plan"
	"jupiter/plan/config"
	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/schema"
	"jupiter/state/artifact"
)

// teacher is a generator that is asked outside of any cycle, about the documents of a benchmark. It runs the model that its
// block names.
type teacher struct {
	r     *Runner
	stage *config.Stage
	on    *config.Domain
	id    string // of all in its block that its replies hang on
}

// teacherOf gives the teacher of a domain's benchmark; nil: it needs none.
func (r *Runner) teacherOf(d *config.Domain) (*teacher, error) {
	s := d.Evaluation.Build.Teacher
	if s == nil {
		return nil, nil
	}
	parts := []string{s.Type, fmt.Sprint(s.Body.Schema.Revision), fmt.Sprint(s.Seed)}
	for _, a := range s.Body.Schema.Attributes {
		if a.Effect == schema.None {
			continue
		}
		text, err := schema.CanonicalJSON(s.Body.Value.GetAttr(a.Name))
		if err != nil {
			return nil, err
		}
		parts = append(parts, a.Name+"="+string(text))
	}
	for _, b := range s.Body.Schema.Blocks {
		text, err := schema.CanonicalJSON(s.Body.Value.GetAttr(b.Type))
		if err != nil {
			return nil, err
		}
		parts = append(parts, b.Type+"="+string(text))
	}
	return &teacher{r: r, stage: s, on: d, id: artifact.Sum([]byte(strings.Join(parts, "\x00")))}, nil
}

// scores says whether the teacher can tell how likely it finds a text.
func (t *teacher) scores(ctx context.Context) (bool, error) {
	st, err := t.r.stage(ctx, t.stage)
	if err != nil || !slices.Contains(st.Schema.Features, "score") {
		return false, err
	}
	err = t.call(func(j *job) error {
		return likelihoods(ctx, j, st, t.stage, nil, nil, func(*pluginv1.LikelihoodEvent) error { return nil })
	})
	if errors.Is(err, errors.ErrUnsupported) {
		return false, nil
	}
	return err == nil, err
}

// model names the model behind the teacher, as far as the plugin can tell.
func (t *teacher) model(ctx context.Context) (string, error) {
	return newProbe(t.r).fingerprint(ctx, "generator", t.stage.Type, t.stage.Body)
}

// call makes a job for one call of the teacher.
func (t *teacher) call(do func(j *job) error) (err error) {
	work, err := os.MkdirTemp("", "jupiter-ask-")
	if err != nil {
		return err
	}
	j := &job{r: t.r, work: work, id: plan.Identity{ID: fmt.Sprintf("%016x", t.r.asked.Add(1)), Seed: t.stage.Seed},
		a: &plan.Action{Address: t.stage.Addr, Kind: plan.Generate, Domain: t.on, Stage: t.stage, Judges: &plan.Judges{Runner: t.stage}}}
	defer func() { err = errors.Join(err, j.cleanup()) }()
	return do(j)
}

// complete asks for the likeliest continuations, and gives them in order.
func (t *teacher) complete(ctx context.Context, prompts []string, maxTokens uint32, done func(i int, c Completed) error) error {
	a := Ask{Sampling: Sampling{MaxTokens: maxTokens}, Seed: t.stage.Seed}
	for _, p := range prompts {
		a.Prompts = append(a.Prompts, Prompt{Text: p})
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	return t.call(func(j *job) error { return j.put(ctx, nil, false, a, done) })
}

// likelihoods asks how likely the options of each prompt are.
func (t *teacher) likelihoods(ctx context.Context, prompts []string, options [][]string, done func(i int, scores []float64, tokens uint64) error) error {
	st, err := t.r.stage(ctx, t.stage)
	if err != nil {
		return err
	}
	items := make([]*pluginv1.LikelihoodItem, len(prompts))
	for i, p := range prompts {
		items[i] = &pluginv1.LikelihoodItem{PromptId: fmt.Sprint(i), Prompt: p, Continuations: options[i], End: true}
	}
	return t.call(func(j *job) error {
		n := 0
		return likelihoods(ctx, j, st, t.stage, nil, items, func(e *pluginv1.LikelihoodEvent) error {
			var scores []float64
			var tokens uint64
			for _, l := range e.Likelihoods {
				scores, tokens = append(scores, l.SumLogprob), tokens+l.Tokens
			}
			n++
			return done(n-1, scores, tokens)
		})
	})
}
