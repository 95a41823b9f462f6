package infer

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"

	"jupiter/plugins/builtin/llama/kernel"
)

// Request is one text to be continued.
type Request struct {
	Prompt []int32 // at least one token; a text's first is BOS
	Seed   uint64
}

// Finish says why a text ended.
type Finish string

// A text ends by itself (an end token, or a stop string), or it is cut at MaxTokens or at the model's context.
const (
	Stopped Finish = "stop"
	Length  Finish = "length"
)

// Result is a continued text.
type Result struct {
	Index    int       // of its request
	Text     string    // without prompt, end token and stop string; its last bytes may be part of a character
	Tokens   []int32   // as they were drawn, an end token and those of a stop string included
	Logprobs []float32 // of each of Tokens under the model, natural logarithm, without penalty, temperature and filters
	Finish   Finish
}

// Generate continues n texts. request(i) gives the i-th; it is called once for each, in order, from one goroutine at a
// time. emit gets the results in the order of the requests, and its error ends the work, as does the end of ctx: then
// texts that lack a predecessor are lost, and Generate returns ctx's error. A prompt that fills the model's context gives
// an empty text, cut for length.
func (m *Model) Generate(ctx context.Context, n int, request func(i int) Request, s Sampling, o Options, emit func(Result) error) error {
	if err := firstError(s.Check(), o.check()); err != nil {
		return err
	}
	q := &queue{n: n, request: request}
	// Fewer texts than threads: each has some threads to itself.
	workers := max(1, min(o.Threads, o.Batch, n))
	return inOrder(ctx, n, workers, func(ctx context.Context, worker int, done func(int, Result) bool) error {
		w := newDecoder(m, s, (o.Batch+workers-1)/workers)
		w.pool = kernel.NewPool((o.Threads + workers - 1 - worker) / workers)
		defer w.pool.Close()
		return w.run(ctx, q, o.Step, done)
	}, emit)
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// queue hands out requests.
type queue struct {
	mu      sync.Mutex
	next, n int
	request func(i int) Request
}

func (q *queue) take() (int, Request, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.next == q.n {
		return 0, Request{}, false
	}
	i := q.next
	q.next++
	return i, q.request(i), true
}

// inOrder runs workers, which call done with the results of 0 … n−1, each once, and hands the results to emit in the
// order of their indices. done reports false when the work is over before its end. The first error ends it.
func inOrder[R any](ctx context.Context, n, workers int, work func(ctx context.Context, worker int, done func(int, R) bool) error, emit func(R) error) error {
	type numbered struct {
		i int
		r R
	}
	inner, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	results := make(chan numbered, 64)
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			err := work(inner, w, func(i int, r R) bool {
				select {
				case results <- numbered{i, r}:
					return true
				case <-inner.Done():
					return false
				}
			})
			if err != nil {
				cancel(err)
			}
		})
	}
	go func() {
		group.Wait()
		close(results)
	}()
	waiting := map[int]R{}
	next, failed := 0, false
	for x := range results {
		waiting[x.i] = x.r
		for r, ok := waiting[next]; ok; r, ok = waiting[next] {
			delete(waiting, next)
			next++
			if failed {
				continue
			}
			if err := emit(r); err != nil {
				failed = true
				cancel(err)
			}
		}
	}
	if next == n && !failed {
		return nil
	}
	return context.Cause(inner)
}

// A sequence is one text in work.
type sequence struct {
	index    int
	seed     uint64
	order    *order // whose text it is, of Shared; nil: Generate's
	sampling *Sampling
	cache    *cache
	pending  []int32 // tokens that have not been through a pass
	size     int     // tokens in all: prompt and text
	tokens   []int32
	logprobs []float32
	text     []byte
	seen     []int32 // for the penalty: each token of prompt and text once
	known    map[int32]bool
}

// A decoder is one worker of Generate.
type decoder struct {
	runner
	sampling Sampling // of texts that have none of their own
	chooser  chooser
	slots    int
	live     []*sequence
	free     []*cache
	spans    []span
	rows     []int       // rows of the pass whose logits are wanted
	ready    []*sequence // whose they are
}

func newDecoder(m *Model, s Sampling, slots int) *decoder {
	return &decoder{runner: runner{Model: m}, sampling: s, slots: slots}
}

func (d *decoder) run(ctx context.Context, q *queue, step func(int), done func(int, Result) bool) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		for len(d.live) < d.slots {
			i, r, ok := q.take()
			if !ok {
				break
			}
			if len(r.Prompt) == 0 {
				return fmt.Errorf("prompt %d is empty: it has not even BOS", i)
			}
			if len(r.Prompt) >= d.Config.Context {
				if !done(i, Result{Index: i, Finish: Length}) {
					return ctx.Err()
				}
				continue
			}
			d.admit(i, r, nil)
		}
		if len(d.live) == 0 {
			return nil
		}
		d.step()
		ended := d.collect()
		if step != nil {
			step(len(d.ready))
		}
		for _, r := range ended {
			if !done(r.Index, r) {
				return ctx.Err()
			}
		}
	}
}

func (d *decoder) admit(i int, r Request, o *order) {
	s := &sequence{index: i, seed: r.Seed, order: o, sampling: &d.sampling, pending: r.Prompt, size: len(r.Prompt)}
	if o != nil {
		s.sampling = o.sampling
	}
	if n := len(d.free); n > 0 {
		s.cache, d.free = d.free[n-1], d.free[:n-1]
		s.cache.len = 0
	} else {
		s.cache = newCache(d.Config)
	}
	if s.sampling.penalises() {
		s.known = map[int32]bool{}
		for _, t := range r.Prompt {
			s.see(t)
		}
	}
	d.live = append(d.live, s)
}

func (s *sequence) see(t int32) {
	if s.known != nil && !s.known[t] {
		s.known[t] = true
		s.seen = append(s.seen, t)
	}
}

// step makes one pass over what is pending: the last token of each text, and as much of prompts as fits beside them.
func (d *decoder) step() {
	d.spans, d.rows, d.ready = d.spans[:0], d.rows[:0], d.ready[:0]
	room := max(maxRows, len(d.live)) - len(d.live)
	row := 0
	for _, s := range d.live {
		n := min(len(s.pending), 1+room)
		room -= n - 1
		s.cache.reserve(s.cache.len+n, d.Config.Context)
		d.spans = append(d.spans, span{s.cache, s.pending[:n]})
		s.pending = s.pending[n:]
		row += n
		if len(s.pending) == 0 {
			d.rows = append(d.rows, row-1)
			d.ready = append(d.ready, s)
		}
	}
	d.pass(d.spans)
}

// collect draws a token for each text that is ready and gives the texts that end with it, but for those of an order, which
// is told of them.
func (d *decoder) collect() (ended []Result) {
	if len(d.ready) == 0 {
		return nil
	}
	v := d.Config.Vocab
	logits := d.logits(d.rows)
	for i, s := range d.ready {
		step := uint64(len(s.tokens))
		d.chooser.Sampling = *s.sampling
		t, lp := d.chooser.choose(logits[i*v:][:v], s.seen, uniform(s.seed, step))
		s.tokens = append(s.tokens, t)
		s.logprobs = append(s.logprobs, lp)
		if s.order != nil {
			s.order.tell(news{index: s.index, token: t, logprob: lp})
		}
		finish, text := d.settle(s, t)
		if finish == "" {
			s.see(t)
			s.size++
			s.pending = s.tokens[len(s.tokens)-1:]
			continue
		}
		r := Result{Index: s.index, Text: text, Tokens: s.tokens, Logprobs: s.logprobs, Finish: finish}
		if s.order != nil {
			s.order.tell(news{index: s.index, result: &r})
		} else {
			ended = append(ended, r)
		}
		d.free = append(d.free, s.cache)
		s.cache = nil
	}
	d.live = slices.DeleteFunc(d.live, func(s *sequence) bool { return s.cache == nil })
	return ended
}

// settle decides whether a text ends with token t, and how.
func (d *decoder) settle(s *sequence, t int32) (Finish, string) {
	tok := d.Tokenizer
	if t == tok.EOS() || t == tok.EndTurn() {
		return Stopped, string(s.text)
	}
	old := len(s.text)
	s.text = append(s.text, tok.Bytes(t)...)
	if at := firstStop(s.text, old, s.sampling.Stop); at >= 0 {
		return Stopped, string(s.text[:at])
	}
	if len(s.tokens) == s.sampling.MaxTokens || s.size+1 == d.Config.Context {
		return Length, string(s.text)
	}
	return "", ""
}

// firstStop finds where the first stop string begins that ends in text[old:], or −1.
func firstStop(text []byte, old int, stop []string) int {
	first := -1
	for _, s := range stop {
		from := max(0, old-len(s)+1)
		if i := bytes.Index(text[from:], []byte(s)); i >= 0 && (first < 0 || from+i < first) {
			first = from + i
		}
	}
	return first
}
