package openai

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"

	"jupiter/plugins/builtin/llama"
	"jupiter/plugins/sdk"
)

type generator struct {
	pace    pace
	servers *servers
	scorer  *llama.Scorer
	left    leftovers
	known   known
}

// Generate asks for samples, set by set. Sample i of a set answers prompt i modulo their number; a set without prompts is
// asked to begin from nothing.
func (g *generator) Generate(ctx context.Context, c *sdk.Call, cfg config, req *sdk.GenerateRequest, emit func(*sdk.RecordBatch) error) error {
	sets, err := sdk.Shares(req.GetSets(), c.Cursor)
	if err != nil {
		return err
	}
	var total uint64
	for _, s := range sets {
		total += s.To - s.From
	}
	if total == 0 {
		return nil
	}
	e, release, err := g.endpoint(ctx, cfg, req.GetModel())
	if err != nil {
		return err
	}
	defer release()
	w, err := g.watch(ctx, cfg, e)
	if err != nil {
		return err
	}
	f := &form{c: cfg, s: cfg.sampling(req.GetSampling(), e.gguf), endpoint: e}
	sure := func(out *sdk.RecordBatch) error { // what another model has written goes nowhere
		if err := w.due(ctx); err != nil {
			return err
		}
		return emit(out)
	}
	b := &batcher{call: c, emit: sure, now: g.pace.now, begun: g.pace.now(), last: g.pace.now(), total: total}
	for _, s := range sets {
		err := g.draw(ctx, c, f, s, b)
		if other := w.look(ctx); other != nil {
			return errors.Join(err, other)
		}
		if err := errors.Join(err, b.flush()); err != nil || c.IsStopped() {
			return err
		}
	}
	return nil
}

// How many samples of a call the server may refuse: in a row, and in all besides a twentieth of what came.
const (
	refusedInARow = 5
	refusedInAll  = 10
)

// draw asks for a share's samples. One that the server refuses, where it has taken others, costs that one: it is an empty
// sample that says so.
func (g *generator) draw(ctx context.Context, c *sdk.Call, f *form, s sdk.Share, b *batcher) error {
	prompts := s.GetPrompts()
	if len(prompts) == 0 {
		prompts = []*sdk.Prompt{{}}
	}
	which := func(i int) (uint64, *sdk.Prompt) {
		n := s.From + uint64(i)
		return n, prompts[n%uint64(len(prompts))]
	}
	taken, row, lost := 0, 0, 0
	r := g.run(c, f)
	r.tick = b.tick
	r.ask = func(i int) (*request, error) {
		n, p := which(i)
		return f.request(p, sdk.SampleSeed(c.Seed, s.GetTemplate(), n))
	}
	r.lose = func(i int, err error) bool {
		row, lost = row+1, lost+1
		if errors.Is(err, errNotHeld) || errors.Is(err, errLoaded) || taken == 0 || row > refusedInARow || lost > refusedInAll+taken/20 {
			return false
		}
		n, _ := which(i)
		c.Warn("Sample refused", fmt.Sprintf("The server refuses sample %d of template %q, which is empty for it: %v.", n, s.GetTemplate(), err))
		return true
	}
	r.emit = func(i int, a *reply) error {
		if a.why != "refused" {
			taken, row = taken+1, 0
		}
		n, p := which(i)
		rec := record(p, s.GetTemplate(), a)
		rec.SampleSeed = sdk.SampleSeed(c.Seed, s.GetTemplate(), n)
		b.guess(a)
		return b.add(rec, s.Cursor(n+1))
	}
	return r.all(ctx, int(s.To-s.From))
}

// run is what all calls have in common.
func (g *generator) run(c *sdk.Call, f *form) *run {
	return &run{call: c, endpoint: f.endpoint, pace: g.pace, timeout: seconds(f.c.TimeoutSeconds), retries: int(f.c.MaxRetries), most: f.c.BatchSize, left: &g.left}
}

// record makes a sample's record. A sample that was cut says so: it has not ended, and is not to be learned from.
func record(p *sdk.Prompt, template string, a *reply) *sdk.Record {
	rec := &sdk.Record{Bucket: p.GetBucket(), PromptTokens: a.prompt, CompletionTokens: a.answer, Meta: map[string]string{"template": template}}
	if a.finish == "length" {
		rec.Meta["finish"] = "length"
	}
	if a.why != "" {
		rec.Meta["without_text"] = a.why
	}
	if mean, ok := meanLogprob(a.logprobs); ok {
		rec.Meta["logprob"] = strconv.FormatFloat(mean, 'f', 4, 64)
	}
	if p.GetSystem() != "" {
		rec.Messages = []*sdk.Message{
			{Role: "system", Content: p.GetSystem()}, {Role: "user", Content: p.GetText()}, {Role: "assistant", Content: a.text, Train: true},
		}
		return rec
	}
	rec.Prompt, rec.Text = p.GetText(), a.text
	return rec
}

func meanLogprob(all []float32) (float64, bool) {
	if len(all) == 0 {
		return 0, false
	}
	sum := 0.0
	for _, l := range all {
		sum += float64(l)
	}
	return sum / float64(len(all)), true
}

// batcher gathers records, which come in order, into batches. A batch is what a crash cannot take back, so they are small:
// a quarter of a second's, and a five-hundredth of the time so far in a long call, whose host makes each durable.
type batcher struct {
	call  *sdk.Call
	emit  func(*sdk.RecordBatch) error
	now   func() time.Time
	begun time.Time
	last  time.Time

	batch []*sdk.Record
	size  int
	at    []byte // cursor

	total, done, tokens uint64
	told                time.Time
	guessed             bool
}

const (
	batchBytes = 256 << 10
	batchEvery = 250 * time.Millisecond
	batchPart  = 500
	tellEvery  = time.Second
)

func (b *batcher) add(r *sdk.Record, at []byte) error {
	b.batch = append(b.batch, r)
	b.size += proto.Size(r)
	b.at = at
	b.done++
	b.tokens += r.CompletionTokens
	if b.size >= batchBytes {
		return b.flush()
	}
	return nil
}

func (b *batcher) tick(_, may int) error {
	now := b.now()
	if now.Sub(b.told) >= tellEvery {
		b.told = now
		b.call.Progress(b.done, b.total, "samples", b.rates(now, may))
	}
	if now.Sub(b.last) >= max(batchEvery, now.Sub(b.begun)/batchPart) {
		return b.flush()
	}
	return nil
}

func (b *batcher) rates(now time.Time, may int) map[string]float64 {
	m := map[string]float64{"requests_at_a_time": float64(may)}
	if s := now.Sub(b.begun).Seconds(); s > 0 {
		m["tokens_per_second"], m["samples_per_second"] = float64(b.tokens)/s, float64(b.done)/s
	}
	return m
}

func (b *batcher) guess(a *reply) { b.guessed = warnGuess(b.call, a, b.guessed) }

// warnGuess says once that tokens are not counted but guessed.
func warnGuess(c *sdk.Call, a *reply, said bool) bool {
	if a.guessed && a.why != "refused" && !said {
		c.Warn("Tokens are guessed", fmt.Sprintf("The server does not say how many tokens an answer took. They are counted as one for %d bytes.", bytesPerToken))
		return true
	}
	return said
}

func (b *batcher) flush() error {
	b.last = b.now()
	if len(b.batch) == 0 {
		return nil
	}
	out := &sdk.RecordBatch{Records: b.batch, Cursor: b.at}
	b.batch, b.size = nil, 0
	return b.emit(out)
}

// Complete answers prompts. A completion depends on the call's seed, the prompt and its id; without an id, its place.
func (g *generator) Complete(ctx context.Context, c *sdk.Call, cfg config, model *sdk.Artifact, s *sdk.Sampling, prompts []*sdk.Prompt, emit func(*sdk.Completion) error) error {
	if len(prompts) == 0 {
		return nil
	}
	e, release, err := g.endpoint(ctx, cfg, model)
	if err != nil {
		return err
	}
	defer release()
	w, err := g.watch(ctx, cfg, e)
	if err != nil {
		return err
	}
	f := &form{c: cfg, s: cfg.sampling(s, e.gguf), endpoint: e}
	r := g.run(c, f)
	var told time.Time
	said := false
	r.tick = func(answered, may int) error {
		if now := g.pace.now(); now.Sub(told) >= tellEvery {
			told = now
			c.Progress(uint64(answered), uint64(len(prompts)), "completions", map[string]float64{"requests_at_a_time": float64(may)})
		}
		return nil
	}
	r.ask = func(i int) (*request, error) {
		p, at := prompts[i], uint64(i)
		if p.GetId() != "" {
			at = 0
		}
		return f.request(p, sdk.SampleSeed(c.Seed, "completion of "+p.GetId(), at))
	}
	r.emit = func(i int, a *reply) error {
		said = warnGuess(c, a, said)
		if err := w.due(ctx); err != nil {
			return err
		}
		return emit(&sdk.Completion{PromptId: prompts[i].GetId(), Text: a.text, FinishReason: a.finish, Logprobs: a.logprobs, PromptTokens: a.prompt, CompletionTokens: a.answer})
	}
	if err := r.all(ctx, len(prompts)); err != nil {
		return err
	}
	return w.look(ctx)
}
