package runtime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"jupiter/plan"
	"jupiter/plan/config"
	"jupiter/plugins/host"
	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
	"jupiter/runtime/guard"
)

const (
	metricsFile = "metrics.json"
	rawFile     = "raw.jsonl"
)

// measured is the line that a measurement leaves in the journal.
type measured struct {
	PassRate    *float64 `json:"pass_rate"`
	BitsPerByte *float64 `json:"bits_per_byte"`
	Entropy     *float64 `json:"entropy4"`
}

func (m measured) String() string {
	show := func(v *float64) string {
		if v == nil {
			return "unavailable"
		}
		return strconv.FormatFloat(*v, 'f', 3, 64)
	}
	return fmt.Sprintf("pass rate %s, held-out %s bits per byte, 4-gram entropy %s bit", show(m.PassRate), show(m.BitsPerByte), show(m.Entropy))
}

// measure draws raw samples at temperature 1 and scores held-out real text: what the guard wants to know of a model.
// The seed is the same for every model, so that two measurements differ by the models alone.
func (j *job) measure(ctx context.Context) (*result, error) {
	samples, err := j.rawSamples(ctx)
	if err != nil {
		return nil, err
	}
	m := guard.Measure(samples)
	if m.BitsPerByte, err = j.heldOut(ctx); err != nil {
		if j.r.stopping.Load() {
			return nil, ErrInterrupted
		}
		return nil, err
	}
	b, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(j.work, metricsFile), b, 0o644); err != nil {
		return nil, err
	}
	if err := writeLines(filepath.Join(j.work, rawFile), samples); err != nil {
		return nil, err
	}
	sum := measured{PassRate: m.PassRate, BitsPerByte: m.BitsPerByte}
	if p, ok := m.Full(); ok {
		sum.Entropy = &p.Entropy4
	}
	return &result{detail: sum, outputs: map[string]put{
		"metrics": {path: metricsFile, mediaType: "application/vnd.jupiter.guard-metrics+json"},
		"raw":     {path: rawFile, mediaType: "application/vnd.jupiter.guard-samples+jsonl"},
	}}, nil
}

// guardSeed seeds the raw samples that the guard looks at.
const guardSeed = 0x6775617264 // "guard"

// rawSamples draws samples of every template, in proportion to its weight, judged where the domain has a verifier. What was
// drawn before an interruption stays.
func (j *job) rawSamples(ctx context.Context) ([]guard.Sample, error) {
	st, err := j.r.stage(ctx, j.a.Judges.Runner)
	if err != nil {
		return nil, err
	}
	raw := newSink(j, st, "Generate", "samples", func(*sdk.Record) error { return nil })
	raw.use = j.use(j.a.Judges.Runner)
	end := uint64(0)
	for _, set := range guardSets(j.a.Domain, j.a.Judges.Samples) {
		from := end
		if end += set.Samples; raw.done() >= end {
			continue
		}
		set.StartIndex = raw.done() - from
		set.Samples -= set.StartIndex
		raw.most = end
		if err := j.drawRaw(ctx, st, raw, set); err != nil {
			return nil, err
		}
		if got := raw.done(); got != end {
			if j.r.stopping.Load() {
				return nil, errors.Join(raw.flush(context.WithoutCancel(ctx)), ErrInterrupted)
			}
			return nil, raw.breach("it ends after %d of %d samples of template %q", got-from, end-from, set.Template)
		}
	}
	if _, err := raw.close(); err != nil {
		return nil, err
	}
	var samples []guard.Sample
	var items []*pluginv1.VerifyItem
	err = eachRecord(filepath.Join(j.work, recordsFile), func(r *sdk.Record) error {
		samples = append(samples, guard.Sample{Text: r.Prompt + recordText(r), Question: r.Prompt})
		items = append(items, &pluginv1.VerifyItem{Id: strconv.Itoa(len(items)), Prompt: r.Prompt, Text: recordText(r)})
		return nil
	})
	if err != nil {
		return nil, err
	}
	v := j.a.Judges.Verifier
	if v == nil {
		return samples, nil
	}
	js, err := j.judgements(ctx, v, items)
	if err != nil {
		return nil, err
	}
	for i, jd := range js {
		s := &samples[i]
		s.Judged, s.Passed, s.Family = true, passes(jd), jd.Family
		if jd.Question != "" {
			s.Question = jd.Question
		}
	}
	return samples, nil
}

// drawRaw draws one template's raw samples.
func (j *job) drawRaw(ctx context.Context, st *host.Stage, raw *sink, set *pluginv1.PromptSet) error {
	runner := j.a.Judges.Runner
	call, err := j.call(runner.Type, runner.Body)
	if err != nil {
		return err
	}
	call.Seed, call.Limit = guardSeed, raw.use.limit()
	if set.StartIndex > 0 {
		call.Cursor = raw.cursor
	}
	model, err := j.model("model")
	if err != nil {
		return err
	}
	stream, err := st.Generator().Generate(ctx)
	if err != nil {
		return err
	}
	req := &pluginv1.GenerateRequest{Call: call, Model: model, Sampling: &pluginv1.Sampling{Temperature: 1}, Sets: []*pluginv1.PromptSet{set}}
	if err := stream.Send(req); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	return drain(ctx, j, st, raw, stream.Recv)
}

// passes says whether a verifier found nothing wrong.
func passes(j *pluginv1.Judgement) bool { return j.WellFormed && j.StepsOk && j.AnswerOk }

// guardSets shares the raw samples among a domain's templates: twice as many as are compared, since a model's own halves say what
// noise is. A domain without templates is asked from the
// beginning-of-text token.
func guardSets(d *config.Domain, samples uint64) []*pluginv1.PromptSet {
	ts := d.Templates
	if len(ts) == 0 {
		ts = []*config.Template{{Name: "raw", Weight: 1}}
	}
	all := map[string]float64{}
	for _, t := range ts {
		all[t.Bucket] = 1
	}
	var sets []*pluginv1.PromptSet
	for i, n := range plan.Samples(ts, all, 2*samples) {
		if n == 0 {
			continue
		}
		set := &pluginv1.PromptSet{Template: ts[i].Name, Samples: n}
		for k, p := range config.ExpandPrompts(ts[i], n) {
			set.Prompts = append(set.Prompts, &pluginv1.Prompt{Id: strconv.Itoa(k), System: p.System, Text: p.Text, Bucket: ts[i].Bucket})
		}
		sets = append(sets, set)
	}
	return sets
}

// heldOut scores the validation split's texts, question and answer, from the beginning-of-text token. Nil: the model
// cannot be scored, or nothing is held out.
func (j *job) heldOut(ctx context.Context) (*float64, error) {
	runner := j.a.Judges.Runner
	st, err := j.r.stage(ctx, runner)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(st.Schema.Features, "score") {
		return nil, nil
	}
	bench, err := j.path("benchmark")
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(bench, "validation.jsonl")); errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	qs, err := readQuestions(bench, "validation")
	if err != nil {
		return nil, err
	}
	model, err := j.model("model")
	if err != nil {
		return nil, err
	}
	items := make([]*pluginv1.LikelihoodItem, len(qs))
	for i, q := range qs {
		items[i] = &pluginv1.LikelihoodItem{PromptId: q.ID, Continuations: []string{q.Prompt + q.Reference}, End: true}
	}
	var nats float64
	var bytes uint64
	err = likelihoods(ctx, j, st, runner, model, items, func(e *pluginv1.LikelihoodEvent) error {
		nats -= e.Likelihoods[0].SumLogprob
		bytes += e.Likelihoods[0].Bytes
		return nil
	})
	if errors.Is(err, errors.ErrUnsupported) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	bpb, err := guard.BitsPerByte(nats, bytes)
	if err != nil {
		return nil, err
	}
	return &bpb, nil
}

// readMetrics reads what a measurement left.
func (r *Runner) readMetrics(digest string) (m guard.Metrics, err error) {
	b, err := os.ReadFile(r.at(digest))
	if err != nil {
		return m, err
	}
	return m, json.Unmarshal(b, &m)
}
