package infer

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"jupiter/plugins/builtin/llama/kernel"
)

// Shared continues texts for several callers at the same time. The texts of all callers go through the same passes: one
// that comes while others are in work joins them at the next token, and one that ends makes room for the next. Callers take
// turns, so that one with many texts does not keep out one with few. As everywhere in this package, what becomes of a text
// does not depend on its company.
//
// Workers run while there is something to do; there is nothing to close.
type Shared struct {
	m       *Model
	threads int // workers at most
	slots   int // texts of a worker

	mu      sync.Mutex
	orders  []*order // that have texts which no worker has taken; whose turn it is comes first
	texts   int      // taken and not taken, of all callers
	workers int
}

// NewShared makes what callers share. Of the options threads and batch count.
func NewShared(m *Model, o Options) (*Shared, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	return &Shared{m: m, threads: o.Threads, slots: (o.Batch + o.Threads - 1) / o.Threads}, nil
}

// Generate continues texts. drawn is told of each token as it is drawn, and emit gets the results, in the order of the
// requests; both are called from the caller's goroutine, and hold up nobody else. An error of theirs ends the call, as does
// the end of ctx, and its texts are in nobody's way from the next token on.
func (s *Shared) Generate(ctx context.Context, requests []Request, sampling Sampling, drawn func(i int, token int32, logprob float32) error, emit func(Result) error) error {
	if err := sampling.Check(); err != nil {
		return err
	}
	for i, r := range requests {
		if len(r.Prompt) == 0 {
			return fmt.Errorf("prompt %d is empty: it has not even BOS", i)
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	o := &order{ctx: ctx, requests: requests, sampling: &sampling, wake: make(chan struct{}, 1)}
	s.enter(o)
	defer s.leave(o)
	waiting := map[int]Result{}
	for next := 0; next < len(requests); {
		select {
		case <-o.wake:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		for _, e := range o.take() {
			if e.result == nil {
				if err := drawn(e.index, e.token, e.logprob); err != nil {
					return err
				}
				continue
			}
			waiting[e.index] = *e.result
			for r, ok := waiting[next]; ok; r, ok = waiting[next] {
				delete(waiting, next)
				next++
				if err := emit(r); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// enter brings a caller's texts in, and sees to it that there are workers for them.
func (s *Shared) enter(o *order) {
	if len(o.requests) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.orders = append(s.orders, o)
	s.texts += len(o.requests)
	for ; s.workers < min(s.threads, s.texts); s.workers++ {
		go s.work()
	}
}

// leave takes out what no worker has taken. What one has, it drops by itself.
func (s *Shared) leave(o *order) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.orders, o); i >= 0 {
		s.orders = slices.Delete(s.orders, i, i+1)
		s.texts -= len(o.requests) - o.next
	}
}

// work is one worker. It ends when there is nothing to do. Where there are fewer workers than threads, each has some threads to
// itself.
func (s *Shared) work() {
	d := newDecoder(s.m, Sampling{}, s.slots)
	d.pool = kernel.NewPool(1)
	defer func() { d.pool.Close() }()
	ended := 0
	for {
		workers := s.fill(d, ended)
		if workers == 0 {
			return
		}
		if threads := max(1, s.threads/workers); threads != d.pool.Threads() {
			d.pool.Close()
			d.pool = kernel.NewPool(threads)
		}
		d.step()
		before := len(d.live)
		d.collect()
		ended = before - len(d.live)
	}
}

// fill drops the texts whose caller has gone, and takes others up to a fair share of all that there are. It gives the number of
// workers; 0 where this one has nothing to do, and then there is one less. ended is how many texts have ended since.
func (s *Shared) fill(d *decoder, ended int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.texts -= ended
	d.live = slices.DeleteFunc(d.live, func(x *sequence) bool {
		if x.order.ctx.Err() == nil {
			return false
		}
		d.free = append(d.free, x.cache)
		s.texts--
		return true
	})
	share := min(s.slots, (s.texts+s.threads-1)/s.threads)
	for len(d.live) < share && len(s.orders) > 0 {
		o := s.orders[0]
		i := o.next
		o.next++
		s.orders = s.orders[1:]
		if o.next < len(o.requests) {
			s.orders = append(s.orders, o)
		}
		if len(o.requests[i].Prompt) >= d.Config.Context {
			o.tell(news{index: i, result: &Result{Index: i, Finish: Length}})
			s.texts--
			continue
		}
		d.admit(i, o.requests[i], o)
	}
	if len(d.live) > 0 {
		return s.workers
	}
	s.workers--
	return 0
}

// An order is what one caller asked for.
type order struct {
	ctx      context.Context
	requests []Request
	sampling *Sampling
	next     int // the first request that no worker has taken; Shared.mu is held

	mu   sync.Mutex
	news []news
	wake chan struct{} // there are news
}

// news of a text: a token, or its result.
type news struct {
	index   int
	token   int32
	logprob float32
	result  *Result
}

// tell leaves news for the caller, who may be slow: a worker waits for nobody.
func (o *order) tell(n news) {
	o.mu.Lock()
	o.news = append(o.news, n)
	o.mu.Unlock()
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

func (o *order) take() []news {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := o.news
	o.news = nil
	return n
}
