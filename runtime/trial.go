package runtime

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"jupiter/plan"
	"jupiter/plan/config"
	"jupiter/plan/forecast"
	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
)

// A trial runs a few items of what a plan would run, through the plugins themselves, in a directory that is removed
// afterwards. The state is not touched. What it does for a cycle:
//
//  1. The real records: those that are recorded, else the first trialRecords that the sources give.
//  2. Each trainer that is to run: one step, then one step and trialSteps more, on those records, from the model from
//     elsewhere that its training begins with, or else with a tokenizer and parameters of its own. The difference is the time
//     of the steps, without what a start costs.
//  3. An export of what that left, unless there is a generator already.
//  4. Samples of each template by the generator, first one, then trialSamples more, and answers to a few real records in
//     the same way, with the likelihood of their texts where the generator can give it.
//
// The model of a first plan has learned nothing: how long its texts become says nothing, so that of such a trial only the
// time of a token counts. The evaluator's and the core's own work is not tried.
const (
	trialRecords = 2000
	trialSteps   = 3
	trialSamples = 8
	trialAnswers = 8
	trialLong    = 10 * time.Second // after which no more samples are waited for
)

type trial struct {
	r       *Runner
	rec     *recorded
	dir     string
	n       int // calls so far, each with a directory of its own
	samples []forecast.Sample
	imports map[*plan.Action]*pluginv1.Artifact // what the trial imported for itself
	notes   []string
}

// tried runs the trial of a plan. What cannot be tried is noted.
func (r *Runner) tried(ctx context.Context, p *plan.Plan, rec *recorded) (*trial, error) {
	dir, err := os.MkdirTemp("", "jupiter-probe-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	t := &trial{r: r, rec: rec, dir: dir, imports: map[*plan.Action]*pluginv1.Artifact{}}
	due := map[string]bool{}
	for _, ch := range p.Changes {
		due[string(ch.Address)] = ch.Op != plan.NoOp
	}
	for i, cp := range p.Cycles {
		if cp.Terminal != plan.Running {
			continue
		}
		c := r.Config.Cycles[i]
		setModels(cp.Actions, c, rec.Facts(c.Addr).Current)
		if err := t.cycle(ctx, c, cp.Actions, due); err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			t.notes = append(t.notes, fmt.Sprintf("the probe of %s ended early: %v", c.Addr, err))
		}
	}
	return t, nil
}

// cycle tries what one cycle would run.
func (t *trial) cycle(ctx context.Context, c *config.Cycle, actions []*plan.Action, due map[string]bool) error {
	real, recs, err := t.real(ctx, actions)
	if err != nil {
		return err
	}
	models := map[*config.Stage]*pluginv1.Artifact{} // by the trainer that made them
	if g := t.rec.Facts(c.Addr).Generator(); g != nil && g.MediaType == ModelMediaType && t.r.has(g.Digest) {
		models[makes(c, g.Version)] = &pluginv1.Artifact{Digest: g.Digest, MediaType: g.MediaType, Path: t.r.at(g.Digest)}
	}
	learned := len(models) > 0
	trained := map[*config.Stage]bool{}
	for _, a := range actions {
		if a.Kind != plan.Train || !due[string(a.Address)] || trained[a.Stage] {
			continue
		}
		trained[a.Stage] = true
		base, err := t.base(ctx, a)
		if err != nil {
			return fmt.Errorf("%s: %w", a.Stage.Addr, err)
		}
		checkpoint, err := t.train(ctx, a, real, recs, base)
		if err != nil {
			return fmt.Errorf("%s: %w", a.Stage.Addr, err)
		}
		if models[a.Stage] == nil {
			if models[a.Stage], err = t.export(ctx, c, a.Stage, checkpoint, base); err != nil {
				return fmt.Errorf("%s: %w", c.Exporter.Addr, err)
			}
		}
	}
	for _, a := range actions {
		if !due[string(a.Address)] {
			continue
		}
		switch a.Kind {
		case plan.Generate:
			if m, ok := modelOf(models, model(a, 0)); ok {
				if err := t.generate(ctx, a, m, learned); err != nil {
					return fmt.Errorf("%s: %w", a.Stage.Addr, err)
				}
			}
		case plan.Evaluate:
			if m, ok := modelOf(models, c.Trainer); ok {
				if err := t.answer(ctx, a, m, recs); err != nil {
					return fmt.Errorf("%s: %w", a.Judges.Runner.Addr, err)
				}
			}
		}
	}
	return nil
}

// modelOf is a model to try: that of a trainer, or none where the plugin brings one.
func modelOf(models map[*config.Stage]*pluginv1.Artifact, maker *config.Stage) (*pluginv1.Artifact, bool) {
	m := models[maker]
	return m, m != nil || maker == nil
}

// job is a call of the trial: with a directory of its own, and nothing that counts.
func (t *trial) job(a *plan.Action) (*job, error) {
	t.n++
	dir := filepath.Join(t.dir, strconv.Itoa(t.n))
	return &job{r: t.r, a: a, id: a.Identify(nil), inputs: map[string]string{}, work: dir}, os.Mkdir(dir, 0o755)
}

// add keeps what a part of an action took.
func (t *trial) add(w forecast.Work, took time.Duration, prompt, completion uint64, disk int64) {
	s := forecast.Sample{Work: w, Seconds: took.Seconds(), PromptTokens: float64(prompt), CompletionTokens: float64(completion), DiskBytes: float64(disk), Probe: true}
	if m, ok := t.r.Host.PeakMemory(); ok {
		s.MemoryBytes = float64(m)
	}
	t.samples = append(t.samples, s)
}

// real gives the real records, and the file that they are in.
func (t *trial) real(ctx context.Context, actions []*plan.Action) (path string, recs []*sdk.Record, err error) {
	for _, a := range actions {
		if last := t.rec.Last(string(a.Address)); a.Kind == plan.Real && last != nil && t.r.has(last.Outputs["records"].Digest) {
			path = t.r.at(last.Outputs["records"].Digest)
			return path, recs, eachRecord(path, func(r *sdk.Record) error {
				recs = append(recs, r)
				return nil
			})
		}
	}
	for _, a := range actions {
		if a.Kind == plan.Collect && len(recs) < trialRecords {
			if recs, err = t.collect(ctx, a, recs); err != nil {
				return "", nil, fmt.Errorf("%s: %w", a.Address, err)
			}
		}
	}
	if len(recs) == 0 {
		return "", nil, errors.New("the sources gave no records")
	}
	path = filepath.Join(t.dir, recordsFile)
	return path, recs, writeRecords(path, recs)
}

// train tries a trainer, and gives the checkpoint that it left.
func (t *trial) train(ctx context.Context, a *plan.Action, real string, recs []*sdk.Record, base *pluginv1.Artifact) (checkpoint string, err error) {
	perStep := a.Window.Records / (a.Window.End - a.Window.Start)
	dataset := filepath.Join(t.dir, fmt.Sprintf("draws-%d.jsonl.zst", t.n))
	draws := make([]*sdk.Record, perStep*(1+trialSteps))
	for i := range draws {
		draws[i] = recs[i%len(recs)]
	}
	if err := writeRecords(dataset, draws); err != nil {
		return "", err
	}
	t.r.Host.ResetPeakMemory()
	var took [2]time.Duration
	var used [2]uint64
	for i, steps := range []uint64{1, 1 + trialSteps} {
		began := t.r.Clock()
		if checkpoint, used[i], err = t.steps(ctx, a, steps, dataset, real, base); err != nil {
			return "", err
		}
		took[i] = t.r.Clock().Sub(began)
	}
	w, err := t.r.probe.cost(ctx, a)
	if err != nil {
		return "", err
	}
	size, err := sizeOf(checkpoint)
	if err != nil {
		return "", err
	}
	total := float64(a.Window.End - a.Window.Start)
	one := w.DiskBytes / float64(checkpoints(a.Stage, a.Window.End-a.Window.Start))
	w = w.Scaled(trialSteps / total)
	w.DiskBytes = one
	t.add(w, slope(took[0], took[1], trialSteps), used[1]-min(used[0], used[1]), 0, size)
	return checkpoint, nil
}

// slope is the time of n items of n+1, given that of one alone; where that took longer by chance, their share.
func slope(one, all time.Duration, n int) time.Duration {
	if all > one {
		return all - one
	}
	return all * time.Duration(n) / time.Duration(n+1)
}

// generate tries a template's samples.
func (t *trial) generate(ctx context.Context, a *plan.Action, m *pluginv1.Artifact, learned bool) error {
	t.r.Host.ResetPeakMemory()
	var took [2]time.Duration
	var used [2][2]uint64
	for i, n := range []uint64{1, 1 + trialSamples} {
		began := t.r.Clock()
		u, err := t.draw(ctx, a, m, n)
		if err != nil {
			return err
		}
		took[i], used[i] = t.r.Clock().Sub(began), u
	}
	w, err := t.r.probe.cost(ctx, a)
	if err != nil {
		return err
	}
	prompt, completion := used[1][0]-min(used[0][0], used[1][0]), used[1][1]-min(used[0][1], used[1][1])
	part := float64(trialSamples) / float64(a.Samples)
	if said := w.PromptTokens + w.CompletionTokens; said > 0 && !learned && m != nil {
		part = float64(prompt+completion) / said
		prompt, completion = uint64(w.PromptTokens*part), uint64(w.CompletionTokens*part) // what the model says stands
	}
	disk := w.DiskBytes * part
	t.add(w.Scaled(part), slope(took[0], took[1], trialSamples), prompt, completion, int64(disk))
	// The guard's raw samples are the same work.
	g := &plan.Action{Address: a.Address, Kind: plan.Measure, Cycle: a.Cycle, Domain: a.Domain, Judges: &plan.Judges{Runner: a.Stage, Samples: a.Cycle.GuardSamples}, Models: a.Models}
	mw, err := t.r.probe.cost(ctx, g)
	if err != nil {
		return err
	}
	if said := mw.PromptTokens + mw.CompletionTokens; said > 0 {
		share := float64(prompt+completion) / said
		mw = mw.Scaled(share)
		t.add(mw, slope(took[0], took[1], trialSamples), uint64(mw.PromptTokens), uint64(mw.CompletionTokens), int64(mw.DiskBytes))
	}
	return nil
}

// answer tries the answers of an evaluation, on real records in place of the benchmark's questions.
func (t *trial) answer(ctx context.Context, a *plan.Action, m *pluginv1.Artifact, recs []*sdk.Record) error {
	st, err := t.r.stage(ctx, a.Judges.Runner)
	if err != nil {
		return err
	}
	t.r.Host.ResetPeakMemory()
	var took [2]time.Duration
	var used [2][2]uint64
	for i, n := range []int{1, 1 + trialAnswers} {
		began := t.r.Clock()
		j, err := t.job(a)
		if err != nil {
			return err
		}
		j.meter = &meter{clock: t.r.Clock}
		var prompts []*pluginv1.Prompt
		var items []*pluginv1.LikelihoodItem
		for k := range n {
			r := recs[k%len(recs)]
			prompts = append(prompts, &pluginv1.Prompt{Id: strconv.Itoa(k), Text: r.Prompt})
			items = append(items, &pluginv1.LikelihoodItem{PromptId: strconv.Itoa(k), Prompt: r.Prompt, Continuations: []string{recordText(r)}, End: true})
		}
		if err := complete(ctx, j, st, a.Judges.Runner, m, prompts, func(*pluginv1.Completion) error { return nil }); err != nil {
			return err
		}
		if slices.Contains(st.Schema.Features, "score") {
			err := likelihoods(ctx, j, st, a.Judges.Runner, m, items, func(*pluginv1.LikelihoodEvent) error { return nil })
			if err != nil && !errors.Is(err, errors.ErrUnsupported) {
				return err
			}
		}
		u := j.meter.usage()
		took[i], used[i] = t.r.Clock().Sub(began), [2]uint64{u.PromptTokens, u.CompletionTokens}
	}
	for _, on := range []*plan.Action{a, {Address: a.Address, Kind: plan.Select, Cycle: a.Cycle, Domain: a.Domain, Judges: a.Judges, Stage: a.Cycle.Trainer, Window: plan.Window{End: a.Cycle.EvalEverySteps}}} {
		w, err := t.r.probe.cost(ctx, on)
		if err != nil {
			return err
		}
		if said := w.PromptTokens + w.CompletionTokens; said > 0 {
			w = w.Scaled(float64(used[1][0]+used[1][1]-min(used[0][0]+used[0][1], used[1][0]+used[1][1])) / said)
			t.add(w, slope(took[0], took[1], trialAnswers), uint64(w.PromptTokens), uint64(w.CompletionTokens), int64(w.DiskBytes))
		}
	}
	return nil
}
