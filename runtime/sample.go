package runtime

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"jupiter/plan"
	"jupiter/plan/addr"
	"jupiter/plugins/proto/pluginv1"
	"jupiter/state"
)

// Sampled is one answer to a prompt, with what the domain's verifier makes of it.
type Sampled struct {
	Text   string `json:"text"`
	Finish string `json:"finish"` // stop, length
	Judged bool   `json:"judged"` // a verifier looked at it
	OK     bool   `json:"ok"`     // every step and the answer are right
	Reason string `json:"reason,omitempty"`
}

// SampleOptions say what to ask and how.
type SampleOptions struct {
	Prompt      string
	N           int
	Temperature float64 // 0: greedy
	Version     uint64  // 0: the generator in use
}

// Sample asks a generator of a cycle's history, and returns its answers and its version.
func (r *Runner) Sample(ctx context.Context, cycle addr.Address, o SampleOptions) ([]Sampled, uint64, error) {
	c := r.cycle(cycle)
	if c == nil {
		return nil, 0, fmt.Errorf("%s is not in the configuration", cycle)
	}
	f, err := r.Facts(ctx, cycle)
	if err != nil {
		return nil, 0, err
	}
	g, err := version(f, o.Version)
	if err != nil {
		return nil, 0, err
	}
	if whole, err := r.whole(ctx, g.Digest); err != nil {
		return nil, 0, err
	} else if !whole {
		return nil, 0, fmt.Errorf("the bytes of generator_v%d (%s) are gone or damaged; jupiter plan says what to do", g.Version, g.Digest)
	}
	runner := c.Successor
	if g.Base {
		runner = c.Generator
	}
	work, err := os.MkdirTemp("", "jupiter-sample-")
	if err != nil {
		return nil, 0, err
	}
	defer os.RemoveAll(work)
	a := &plan.Action{Address: cycle.Child("sample"), Kind: plan.Generate, Cycle: c, Domain: c.Domain, Stage: runner,
		Judges: &plan.Judges{Runner: runner, Verifier: c.Domain.Verifier}}
	j := &job{r: r, a: a, id: a.Identify(map[string]string{"prompt": o.Prompt}), inputs: map[string]string{"model": g.Digest}, work: work}
	out, err := j.sample(ctx, g, o)
	return out, g.Version, err
}

func version(f plan.Facts, v uint64) (*state.Generator, error) {
	if v == 0 {
		v = f.Current
	}
	for i := range f.Generators {
		if f.Generators[i].Version == v {
			return &f.Generators[i], nil
		}
	}
	if v == 0 {
		return nil, errors.New("there is no generator yet; jupiter apply makes one")
	}
	return nil, fmt.Errorf("there is no generator_v%d; jupiter generators lists what there is", v)
}

func (j *job) sample(ctx context.Context, g *state.Generator, o SampleOptions) ([]Sampled, error) {
	runner := j.a.Stage
	st, err := j.r.stage(ctx, runner)
	if err != nil {
		return nil, err
	}
	var model *pluginv1.Artifact
	if g.MediaType == ModelMediaType {
		model = j.artifact(g.Digest, g.MediaType)
	}
	var prompts []*pluginv1.Prompt
	for i := range max(o.N, 1) {
		prompts = append(prompts, &pluginv1.Prompt{Id: strconv.Itoa(i), Text: o.Prompt})
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var out []Sampled
	var items []*pluginv1.VerifyItem
	err = complete(ctx, j, st, runner, model, o.Temperature, prompts, func(c *pluginv1.Completion) error {
		out = append(out, Sampled{Text: c.Text, Finish: c.FinishReason})
		items = append(items, &pluginv1.VerifyItem{Id: c.PromptId, Prompt: o.Prompt, Text: c.Text})
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(out) < len(prompts) {
		return nil, st.Breach("Complete", "", "it ends after %d of %d completions", len(out), len(prompts))
	}
	if v := j.a.Judges.Verifier; v != nil {
		js, err := j.judgements(ctx, v, items)
		if err != nil {
			return nil, err
		}
		for i, jd := range js {
			out[i].Judged, out[i].OK, out[i].Reason = true, passes(jd), jd.Reason
		}
	}
	return out, nil
}
