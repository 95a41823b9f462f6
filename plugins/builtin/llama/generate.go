package llama

import (
	"context"
	"fmt"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"jupiter/plugins/builtin/llama/infer"
	"jupiter/plugins/sdk"
)

// Generate draws samples, set by set. Sample i of a set continues prompt i modulo their number; a set without prompts
// draws whole texts from BOS.
func (g *generator) Generate(ctx context.Context, c *sdk.Call, cfg generatorConfig, req *sdk.GenerateRequest, emit func(*sdk.RecordBatch) error) error {
	m, err := g.models.get(req.GetModel())
	if err != nil {
		return err
	}
	sampling, err := cfg.sampling(req.GetSampling())
	if err != nil {
		return err
	}
	sets, err := sdk.Shares(req.GetSets(), c.Cursor)
	if err != nil {
		return err
	}
	var total uint64
	for _, s := range sets {
		total += s.To - s.From
	}
	o := cfg.options()
	b := &batcher{emit: emit, now: g.now, last: g.now(), run: g.start(c, total, "samples")}
	ctx, cancel := untilStopped(ctx, c)
	defer cancel()
	o.Step = b.run.step(cancel)
	for _, s := range sets {
		err := draw(ctx, m, cfg, s, c.Seed, sampling, o, b)
		if unlessStopped(err, c) != nil {
			return err
		}
		if e := b.flush(); e != nil || err != nil { // err: it was stopped
			return e
		}
	}
	return nil
}

// draw generates a share's samples into b.
func draw(ctx context.Context, m *infer.Model, cfg generatorConfig, s sdk.Share, seed uint64, sampling infer.Sampling, o infer.Options, b *batcher) error {
	prompts := s.GetPrompts()
	if len(prompts) == 0 {
		prompts = []*sdk.Prompt{{}}
	}
	encoded := make([][]int32, len(prompts))
	for k, p := range prompts {
		ids, err := cfg.tokens(m.Tokenizer, p)
		if err != nil {
			return fmt.Errorf("template %q: %w", s.GetTemplate(), err)
		}
		encoded[k] = ids
	}
	which := func(i int) (uint64, int) {
		n := s.From + uint64(i)
		return n, int(n % uint64(len(prompts)))
	}
	request := func(i int) infer.Request {
		n, k := which(i)
		b.run.call.Spend(uint64(len(encoded[k])), 0)
		return infer.Request{Prompt: encoded[k], Seed: sdk.SampleSeed(seed, s.GetTemplate(), n)}
	}
	return m.Generate(ctx, int(s.To-s.From), request, sampling, o, func(r infer.Result) error {
		n, k := which(r.Index)
		rec := record(prompts[k], s.GetTemplate(), r)
		rec.SampleSeed = sdk.SampleSeed(seed, s.GetTemplate(), n)
		rec.PromptTokens = uint64(len(encoded[k]))
		return b.add(rec, s.Cursor(n+1))
	})
}

// record makes a sample's record. A sample that was cut says so: it has not ended, and is not to be learned from.
func record(p *sdk.Prompt, template string, r infer.Result) *sdk.Record {
	rec := &sdk.Record{Bucket: p.GetBucket(), CompletionTokens: uint64(len(r.Tokens)), Meta: map[string]string{"template": template}}
	if r.Finish == infer.Length {
		rec.Meta["finish"] = string(r.Finish)
	}
	if p.GetSystem() != "" {
		rec.Messages = []*sdk.Message{
			{Role: "system", Content: p.GetSystem()}, {Role: "user", Content: p.GetText()}, {Role: "assistant", Content: text(r.Text), Train: true},
		}
		return rec
	}
	rec.Prompt, rec.Text = p.GetText(), text(r.Text)
	return rec
}

// batcher gathers records, which come in order, into batches that are small enough to lose and large enough to be worth
// a message: whatever is there after a second, or after 256 KiB.
type batcher struct {
	emit  func(*sdk.RecordBatch) error
	now   func() time.Time
	last  time.Time
	run   *report
	batch sdk.RecordBatch
	size  int
	at    []byte // cursor
}

const (
	batchBytes = 256 << 10
	batchEvery = time.Second
)

func (b *batcher) add(r *sdk.Record, at []byte) error {
	b.batch.Records = append(b.batch.Records, r)
	b.size += proto.Size(r)
	b.at = at
	b.run.end(1)
	if b.size >= batchBytes || b.now().Sub(b.last) >= batchEvery {
		return b.flush()
	}
	return nil
}

func (b *batcher) flush() error {
	b.last = b.now()
	if len(b.batch.Records) == 0 {
		return nil
	}
	out := &sdk.RecordBatch{Records: b.batch.Records, Cursor: b.at}
	b.batch.Records, b.size = nil, 0
	return b.emit(out)
}

// report tells the host how a call goes on, at most twice a second.
type report struct {
	call  *sdk.Call
	now   func() time.Time
	unit  string
	total uint64

	mu     sync.Mutex
	begun  time.Time
	last   time.Time
	done   uint64
	tokens uint64
}

const reportEvery = 500 * time.Millisecond

func (g *generator) start(c *sdk.Call, total uint64, unit string) *report {
	t := g.now()
	return &report{call: c, now: g.now, unit: unit, total: total, begun: t, last: t}
}

// step counts what one pass wrote. At the call's limit it ends the call before the next pass.
func (r *report) step(cancel func()) func(tokens int) {
	return func(tokens int) {
		r.call.Spend(0, uint64(tokens))
		if r.call.IsStopped() {
			cancel()
		}
		r.count(0, uint64(tokens))
	}
}

func (r *report) end(texts uint64) { r.count(texts, 0) }

func (r *report) count(texts, tokens uint64) {
	r.mu.Lock()
	r.done += texts
	r.tokens += tokens
	t := r.now()
	due := t.Sub(r.last) >= reportEvery
	metrics := map[string]float64{}
	if due {
		r.last = t
		if s := t.Sub(r.begun).Seconds(); s > 0 {
			metrics["tokens_per_second"] = float64(r.tokens) / s
			metrics[r.unit+"_per_second"] = float64(r.done) / s
		}
	}
	done := r.done
	r.mu.Unlock()
	if due {
		r.call.Progress(done, r.total, r.unit, metrics)
	}
}
