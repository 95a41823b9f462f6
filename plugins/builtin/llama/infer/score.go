package infer

import (
	"context"
	"fmt"
	"math"
	"sync"

	"jupiter/plugins/builtin/llama/kernel"
)

// Item asks for the likelihoods of texts after one prompt.
type Item struct {
	Prompt        []int32 // at least one token; the first is BOS
	Continuations []string
	End           bool // the end-of-text token follows each continuation, and counts
	Turn          bool // it is the end of a turn instead, as an answer in a chat ends
}

// Likelihood is that of one continuation.
type Likelihood struct {
	LogProb float64 // natural logarithm, summed over the tokens
	Tokens  int     // the end token included where it counts
	Bytes   int     // of the continuation's text
}

// Score gives the likelihoods of each item's continuations, in order. emit gets them in the order of the items; for an
// item that does not fit the model's context, nil. A continuation's tokens are those of its own text: the prompt ends
// where it ends, as in training. The prompt is run once for all continuations of its item.
func (m *Model) Score(ctx context.Context, n int, item func(i int) Item, o Options, emit func(i int, l []Likelihood) error) error {
	if err := o.check(); err != nil {
		return err
	}
	type scored struct {
		i int
		l []Likelihood
	}
	q := &items{n: n, item: item, m: m}
	return inOrder(ctx, n, min(o.Threads, n), func(ctx context.Context, worker int, done func(int, scored) bool) error {
		s := scorer{runner: runner{Model: m}}
		for {
			if err := ctx.Err(); err != nil {
				return err
			}
			group, err := q.take()
			if err != nil {
				return err
			}
			if len(group) == 0 {
				return nil
			}
			s.score(group)
			for _, g := range group {
				if !done(g.index, scored{g.index, g.result}) {
					return ctx.Err()
				}
			}
		}
	}, func(x scored) error { return emit(x.i, x.l) })
}

// A question is an item in work.
type question struct {
	index  int
	prompt []int32
	texts  [][]int32 // tokens of the continuations
	result []Likelihood
	cache  *cache
}

// items hands out questions in groups that fill a pass.
type items struct {
	mu      sync.Mutex
	m       *Model
	next, n int
	item    func(i int) Item
}

func (q *items) take() (group []*question, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for rows := 0; q.next < q.n && rows < maxRows; q.next++ {
		x, err := q.m.question(q.next, q.item(q.next))
		if err != nil {
			return nil, err
		}
		group = append(group, x)
		rows += len(x.prompt)
		for _, t := range x.texts {
			rows += len(t)
		}
	}
	return group, nil
}

func (m *Model) question(i int, x Item) (*question, error) {
	if len(x.Prompt) == 0 {
		return nil, fmt.Errorf("prompt %d is empty: it has not even BOS", i)
	}
	end := m.Tokenizer.EOS()
	if x.Turn {
		end = m.Tokenizer.EndTurn()
	}
	q := &question{index: i, prompt: x.Prompt, result: make([]Likelihood, len(x.Continuations))}
	for k, text := range x.Continuations {
		ids := m.Tokenizer.Encode(text)
		if x.End {
			ids = append(ids, end)
		}
		if len(x.Prompt)+len(ids)-1 > m.Config.Context { // the last token is only looked for, never passed
			return &question{index: i}, nil
		}
		q.texts = append(q.texts, ids)
		q.result[k] = Likelihood{Tokens: len(ids), Bytes: len(text)}
	}
	return q, nil
}

// A scorer is one worker of Score.
type scorer struct {
	runner
	spans   []span // of the next pass
	queued  int    // rows in spans
	targets []target
	p       []float32
	caches  []*cache // spare
}

func (s *scorer) cache() *cache {
	if n := len(s.caches); n > 0 {
		c := s.caches[n-1]
		s.caches, c.len = s.caches[:n-1], 0
		return c
	}
	return newCache(s.Config)
}

// A target is a token whose probability after a row is asked for.
type target struct {
	row    int
	token  int32
	result *Likelihood
}

// score fills in the results of a group: first the prompts go through the model, then the continuations, each from a
// copy of its prompt's cache.
func (s *scorer) score(group []*question) {
	var used []*cache
	var targets []target
	for _, q := range group {
		if len(q.texts) == 0 {
			continue
		}
		q.cache = s.cache()
		used = append(used, q.cache)
		q.cache.reserve(len(q.prompt), s.Config.Context)
		targets = targets[:0]
		for k, ids := range q.texts {
			if len(ids) > 0 {
				targets = append(targets, target{len(q.prompt) - 1, ids[0], &q.result[k]})
			}
		}
		s.add(q.cache, q.prompt, targets)
	}
	s.flush()
	for _, q := range group {
		for k, ids := range q.texts {
			if len(ids) < 2 {
				continue
			}
			c := s.cache()
			used = append(used, c)
			c.fork(q.cache, len(q.prompt)+len(ids)-1)
			targets = targets[:0]
			for i, t := range ids[1:] {
				targets = append(targets, target{i, t, &q.result[k]})
			}
			s.add(c, ids[:len(ids)-1], targets)
		}
	}
	s.flush()
	s.caches = append(s.caches, used...)
}

// add puts tokens of a sequence into the passes, as many as have room into each. The targets' rows count from the first
// of tokens, in order.
func (s *scorer) add(c *cache, tokens []int32, targets []target) {
	for from := 0; from < len(tokens); {
		n := min(len(tokens)-from, maxRows-s.queued)
		for ; len(targets) > 0 && targets[0].row < from+n; targets = targets[1:] {
			t := targets[0]
			t.row += s.queued - from
			s.targets = append(s.targets, t)
		}
		s.spans = append(s.spans, span{c, tokens[from : from+n]})
		s.queued += n
		from += n
		if s.queued == maxRows {
			s.flush()
		}
	}
}

// logitNumbers bounds the logits that are held at a time: 16 MiB.
const logitNumbers = 1 << 22

// flush makes the pass and adds the targets' log-probabilities to their results.
func (s *scorer) flush() {
	if s.queued == 0 {
		return
	}
	s.pass(s.spans)
	v := s.Config.Vocab
	chunk := max(1, logitNumbers/v)
	var rows []int
	for rest := s.targets; len(rest) > 0; {
		rows = rows[:0]
		n := 0
		for ; n < len(rest); n++ {
			if k := len(rows); k == 0 || rows[k-1] != rest[n].row {
				if k == chunk {
					break
				}
				rows = append(rows, rest[n].row)
			}
		}
		s.settle(rest[:n], s.logits(rows))
		rest = rest[n:]
	}
	s.spans, s.targets, s.queued = s.spans[:0], s.targets[:0], 0
}

// settle adds log-probabilities; logits has a line for each different row of the targets.
func (s *scorer) settle(targets []target, logits []float32) {
	v := s.Config.Vocab
	if cap(s.p) < v {
		s.p = make([]float32, v)
	}
	var line []float32
	var logSum float64
	for k, t := range targets {
		if k == 0 || t.row != targets[k-1].row {
			line, logits = logits[:v], logits[v:]
			top := kernel.Max(line)
			logSum = float64(top) + math.Log(float64(kernel.ExpSum(s.p[:v], line, 1, -top)))
		}
		t.result.LogProb += float64(line[t.token]) - logSum
	}
}
