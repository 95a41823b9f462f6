package runtime

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"jupiter/plan"
	"jupiter/plan/config"
	"jupiter/plan/forecast"
	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/schema"
)

// cost is what the plugins' cost models say of an action, or nil where they cannot be asked.
func (r *Runner) cost(ctx context.Context, a *plan.Action) *forecast.Work {
	if r.probe == nil {
		r.probe = newProbe(r)
	}
	w, err := r.probe.cost(ctx, a)
	if err != nil {
		r.Log.Debug("estimate", "address", a.Address, "error", err)
		return nil
	}
	return &w
}

// cost adds up what an action asks of its stages. It comes from the configuration alone: the same before a plan is
// applied and when the action runs, so that the one can be corrected by the other.
func (p *probe) cost(ctx context.Context, a *plan.Action) (w forecast.Work, err error) {
	switch a.Kind {
	case plan.Collect:
		w, err = p.estimate(ctx, asked{kind: "collector", typ: a.Source.Type, body: a.Source.Body})
		w.Stage = "collect " + a.Source.Type
	case plan.Benchmark:
		w = forecast.Work{Stage: "benchmark " + a.Stage.Type, Items: float64(a.Cycle.BenchmarkSamples)}
	case plan.Real:
		w = forecast.Work{Stage: "real " + verifierType(a.Judges)}
	case plan.Verify:
		w = forecast.Work{Stage: "verify " + verifierType(a.Judges), Items: samples(a.Cycle)}
	case plan.Filter:
		w, err = p.estimate(ctx, asked{kind: "filter", typ: a.Stage.Type, body: a.Stage.Body, items: uint64(samples(a.Cycle))})
		w.Stage = "filter " + a.Stage.Type
	case plan.Pool:
		w = forecast.Work{Stage: "pool", Items: samples(a.Cycle)}
	case plan.Mix:
		w = forecast.Work{Stage: "mix", Items: float64(a.Window.Records)}
	case plan.Adopt:
		w = forecast.Work{Stage: "adopt"}
	case plan.Generate:
		w, err = p.writing(ctx, a.Stage, model(a, 0), a.Samples, promptBytes(a.Template), 0)
		w.Stage, w.Version = "generate "+a.Stage.Type, a.Stage.Body.Schema.Version
	case plan.Train:
		steps := a.Window.End - a.Window.Start
		q := asked{kind: "trainer", typ: a.Stage.Type, body: a.Stage.Body, items: steps, checkpoints: checkpoints(a.Stage, steps)}
		w, err = p.estimate(ctx, q)
		w = p.imported(w, a.Stage.Import, flopPerTrained)
		w.Stage, w.Models = "train "+a.Stage.Type, true
	case plan.Export:
		w, err = p.estimate(ctx, asked{kind: "exporter", typ: a.Stage.Type, body: a.Stage.Body, items: 1, maker: model(a, 0)})
		w.Stage = "export " + a.Stage.Type
	case plan.Select:
		w, err = p.selecting(ctx, a)
	case plan.Measure:
		var n uint64
		var held float64
		if n, held, err = p.questions(a, "validation"); err == nil {
			w, err = p.writing(ctx, a.Judges.Runner, model(a, 0), 2*a.Judges.Samples, 0, float64(n)*held)
		}
		w.Stage = "measure " + a.Judges.Runner.Type
	case plan.Evaluate, plan.Validate:
		w, err = p.answering(ctx, a, part(a, "split"), a.Models)
	}
	return w, err
}

// asked is one question to a plugin's cost model.
type asked struct {
	kind, typ   string
	body        config.Body
	items       uint64
	checkpoints uint64
	maker       *config.Stage
	promptBytes float64
	scoredBytes float64
}

// estimate asks a plugin, once for each question. A stage without a cost model leaves the figures out.
func (p *probe) estimate(ctx context.Context, q asked) (forecast.Work, error) {
	none := fmt.Sprintf("no cost model %s %s", q.kind, q.typ)
	if p.known(none) {
		return forecast.Work{Version: q.body.Schema.Version, Items: float64(q.items)}, nil
	}
	conf, err := schema.CanonicalJSON(q.body.Value)
	if err != nil {
		return forecast.Work{}, err
	}
	req := &pluginv1.EstimateRequest{Config: &pluginv1.Config{Json: conf}, Items: q.items, Checkpoints: q.checkpoints, PromptBytes: q.promptBytes, ScoredBytes: q.scoredBytes}
	if q.maker != nil {
		made, err := schema.CanonicalJSON(q.maker.Body.Value)
		if err != nil {
			return forecast.Work{}, err
		}
		req.Maker = &pluginv1.ModelMaker{Stage: q.maker.Type, Config: &pluginv1.Config{Json: made}}
	}
	key := fmt.Sprintf("estimate %s %s %s", q.kind, q.typ, req)
	return once(p, key, func() (forecast.Work, error) {
		w := forecast.Work{Version: q.body.Schema.Version, Items: float64(q.items)}
		st, err := p.r.Host.Stage(ctx, q.kind, q.typ)
		if err != nil {
			return w, err
		}
		e, err := st.EstimateFor(ctx, req)
		if errors.Is(err, errors.ErrUnsupported) {
			p.seen[none] = true // once holds the lock
			return w, nil
		}
		if err != nil {
			return w, fmt.Errorf("%s %q: %w", q.kind, q.typ, err)
		}
		w.Flop, w.PromptTokens, w.CompletionTokens, w.MaxCompletionTokens = e.Flop, e.PromptTokens, e.CompletionTokens, e.MaxCompletionTokens
		w.DiskBytes, w.MemoryBytes = e.BytesWritten, e.PeakMemoryBytes
		if w.MemoryBytes > 0 {
			w.MemoryBytes += p.r.idleMemory()
		}
		if e.BytesRead > 0 && q.kind == "collector" {
			w.Items = e.BytesRead
		}
		return w, nil
	})
}

// processMemory is about what a plugin's process has when it does nothing yet (measured: 25 to 40 MB).
const processMemory = 32 << 20

// idleMemory is what all plugins' processes have when they do nothing.
func (r *Runner) idleMemory() float64 {
	plugins := map[string]bool{}
	for _, s := range r.Config.Stages {
		plugins[s.Body.Schema.Plugin] = true
	}
	for _, d := range r.Config.Domains {
		for _, s := range d.Sources {
			plugins[s.Body.Schema.Plugin] = true
		}
	}
	return processMemory * float64(len(plugins))
}

// writing is a generator's work on so many samples or answers, and on texts that it scores where it can.
func (p *probe) writing(ctx context.Context, g, maker *config.Stage, items uint64, prompt, scored float64) (forecast.Work, error) {
	q := asked{kind: "generator", typ: g.Type, body: g.Body, items: items, maker: maker, promptBytes: prompt}
	if slices.Contains(g.Body.Schema.Features, "score") {
		q.scoredBytes = scored
	}
	w, err := p.estimate(ctx, q)
	from := g.Import
	if maker != nil {
		from = maker.Import
	}
	w = p.imported(w, from, flopPerByte)
	w.Models = true
	return w, err
}

// answering is the answers of each model to a split, and their scores.
func (p *probe) answering(ctx context.Context, a *plan.Action, split string, models []*config.Stage) (forecast.Work, error) {
	n, size, err := p.questions(a, split)
	if err != nil {
		return forecast.Work{}, err
	}
	all, err := p.estimate(ctx, asked{kind: "evaluator", typ: a.Judges.Evaluator.Type, body: a.Judges.Evaluator.Body, items: n * uint64(len(models))})
	if err != nil {
		return all, err
	}
	all.Items = 0
	for _, m := range models {
		w, err := p.writing(ctx, a.Judges.Runner, m, n, size/2, float64(n)*size/2) // half is the question, half what is scored
		if err != nil {
			return all, err
		}
		w.DiskBytes = 0 // the evaluator's figure has the answers
		all = all.Plus(w)
	}
	all.Stage = "evaluate " + a.Judges.Runner.Type + " " + a.Judges.Evaluator.Type
	return all, nil
}

// selecting is the export of each candidate, and its scores where there is a choice.
func (p *probe) selecting(ctx context.Context, a *plan.Action) (forecast.Work, error) {
	steps := a.Window.End - a.Window.Start
	n, sel := uint64(1), a.Stage.Select
	if sel != nil {
		if n = checkpoints(a.Stage, steps); sel.Every > 0 {
			n = max(1, (steps+sel.Every-1)/sel.Every)
		}
	}
	ex := a.Judges.Exporter
	w, err := p.estimate(ctx, asked{kind: "exporter", typ: ex.Type, body: ex.Body, items: 1, maker: a.Stage})
	if err != nil {
		return w, err
	}
	if sel != nil {
		scores, err := p.answering(ctx, a, sel.Split, []*config.Stage{a.Stage})
		if err != nil {
			return w, err
		}
		w = w.Plus(scores)
	}
	w = w.Scaled(float64(n))
	w.Stage = "select " + a.Judges.Runner.Type + " " + a.Judges.Evaluator.Type
	return w, nil
}

// checkpoints is how many a trainer saves in so many steps.
func checkpoints(t *config.Stage, steps uint64) uint64 {
	if t.SaveEverySteps == 0 {
		return 1
	}
	return (steps + t.SaveEverySteps - 1) / t.SaveEverySteps
}

// questions counts a split's questions and their mean length, as the files have them.
func (p *probe) questions(a *plan.Action, split string) (n uint64, mean float64, err error) {
	type counted struct{ lines, bytes uint64 }
	var all counted
	e := a.Domain.Evaluation
	paths, share := e.Splits[split], 1.0
	if e.CustomEvalFile != "" {
		if paths, share = []string{e.CustomEvalFile}, 0.2; split == "gate" {
			share = 0.8
		}
	}
	for _, path := range paths {
		c, err := once(p, "questions "+path, func() (c counted, err error) {
			f, err := os.Open(path)
			if err != nil {
				return c, err
			}
			defer f.Close()
			lines := bufio.NewScanner(f)
			lines.Buffer(nil, 16<<20)
			for lines.Scan() {
				if text := bytes.TrimSpace(lines.Bytes()); len(text) > 0 {
					c.lines++
					c.bytes += uint64(len(text))
				}
			}
			return c, lines.Err()
		})
		if err != nil {
			return 0, 0, err
		}
		all.lines += c.lines
		all.bytes += c.bytes
	}
	n = uint64(share*float64(all.lines) + 0.5)
	if most := benchmarkSamples(a); split == "gate" && most > 0 {
		n = min(n, most)
	}
	if all.lines > 0 {
		mean = float64(all.bytes) / float64(all.lines)
	}
	return n, mean, nil
}

func benchmarkSamples(a *plan.Action) uint64 {
	if a.Cycle == nil {
		return 0
	}
	return a.Cycle.BenchmarkSamples
}

// samples is what a regeneration gives at most.
func samples(c *config.Cycle) float64 { return float64(c.Generator.Samples) }

func verifierType(j *plan.Judges) string {
	if j == nil || j.Verifier == nil {
		return "none"
	}
	return j.Verifier.Type
}

// promptBytes is about how long a template's prompts are: as they are written.
func promptBytes(t *config.Template) float64 {
	n := len(t.Prompt) + len(t.SystemPrompt)
	for _, e := range t.Examples {
		n += len(e) + 1
	}
	return float64(n)
}

// part is one of an action's own parts.
func part(a *plan.Action, name string) string {
	for _, p := range a.Parts {
		if p.Name == name {
			return p.Value
		}
	}
	return ""
}

// model is the trainer that makes an action's i-th model, or nil.
func model(a *plan.Action, i int) *config.Stage {
	if i < len(a.Models) {
		return a.Models[i]
	}
	return nil
}

// makes says which trainer made a version of a cycle's generator; nil: none of ours.
func makes(c *config.Cycle, version uint64) *config.Stage {
	if version <= 1 {
		return c.Base
	}
	return c.Trainer
}

// setModels says of each action of a turn which models it runs: the student, and the generator in use.
func setModels(actions []*plan.Action, c *config.Cycle, version uint64) {
	current := makes(c, version)
	for _, a := range actions {
		switch a.Kind {
		case plan.Generate:
			a.Models = []*config.Stage{current}
		case plan.Measure:
			a.Models = []*config.Stage{c.Trainer}
		case plan.Evaluate:
			a.Models = []*config.Stage{c.Trainer, current}
		}
	}
}
