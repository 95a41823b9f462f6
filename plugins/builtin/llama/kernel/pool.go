package kernel

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// Pool is a fixed set of workers that live as long as it does. The calling goroutine is worker 0, so a pool of one
// thread starts no goroutine. A worker that runs out of work watches for more for some microseconds before it sleeps:
// matrix products follow each other faster than a goroutine wakes.
//
// A pool runs one loop at a time: a second caller waits, and a call from inside a loop's body blocks for ever. Close it
// when done.
type Pool struct {
	im      *impl
	scratch []Scratch

	mu      sync.Mutex // one loop at a time
	body    func(worker, lo, hi int)
	n       int
	grain   int
	next    atomic.Int64 // first index that no worker has taken
	round   atomic.Uint64
	running atomic.Int64 // workers that have not finished this round
	workers []*worker
	done    sync.WaitGroup
}

type worker struct {
	wake   chan struct{}
	asleep atomic.Bool
}

// closed is the round that ends the workers.
const closed = ^uint64(0)

// NewPool starts a pool of at least one thread.
func NewPool(threads int) *Pool { return newPool(threads, machine) }

func newPool(threads int, im *impl) *Pool {
	if threads < 1 {
		panic(fmt.Sprintf("kernel: pool of %d threads", threads))
	}
	p := &Pool{im: im, scratch: make([]Scratch, threads)}
	for i := 1; i < threads; i++ {
		w := &worker{wake: make(chan struct{}, 1)}
		p.workers = append(p.workers, w)
		p.done.Go(func() { p.work(i, w) })
	}
	return p
}

// Threads is the number of workers, the caller included.
func (p *Pool) Threads() int { return len(p.scratch) }

// Scratch is the working memory of a worker, for use inside a loop's body.
func (p *Pool) Scratch(worker int) *Scratch { return &p.scratch[worker] }

// Close ends the workers and waits for them. The pool must not be used afterwards.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.round.Load() == closed {
		return
	}
	p.round.Store(closed)
	p.wake()
	p.done.Wait()
}

// For runs body over 0 … n−1 in ranges lo … hi−1 whose bounds are multiples of grain, hi of the last being n. Ranges
// are taken by whoever is free, so a body's results must not depend on which worker ran it, or on how ranges are cut.
func (p *Pool) For(n, grain int, body func(worker, lo, hi int)) {
	if n <= 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.run(n, grain, body)
}

func (p *Pool) run(n, grain int, body func(worker, lo, hi int)) {
	if p.round.Load() == closed {
		panic("kernel: use of a closed pool")
	}
	if len(p.workers) == 0 || n <= grain {
		body(0, 0, n)
		return
	}
	p.body, p.n, p.grain = body, n, max(1, grain)
	p.next.Store(0)
	p.running.Store(int64(len(p.workers)))
	p.round.Add(1)
	p.wake()
	p.take(0)
	for spins := 1; p.running.Load() > 0; spins++ {
		if spins%yieldEvery == 0 {
			runtime.Gosched()
		}
	}
	p.body = nil
}

func (p *Pool) wake() {
	for _, w := range p.workers {
		if w.asleep.Swap(false) {
			w.wake <- struct{}{}
		}
	}
}

// take works on ranges until none is left.
func (p *Pool) take(worker int) {
	for {
		lo := int(p.next.Add(int64(p.grain))) - p.grain
		if lo >= p.n {
			return
		}
		p.body(worker, lo, min(p.n, lo+p.grain))
	}
}

const (
	yieldEvery = 256     // looks between two chances for other goroutines
	watchFor   = 1 << 15 // looks before sleep: some tens of microseconds
)

func (p *Pool) work(index int, w *worker) {
	var seen uint64
	for {
		seen = p.await(seen, w)
		if seen == closed {
			return
		}
		p.take(index)
		p.running.Add(-1)
	}
}

// await watches for the round after seen, then sleeps for it.
func (p *Pool) await(seen uint64, w *worker) uint64 {
	for {
		for spins := 1; spins < watchFor; spins++ {
			if now := p.round.Load(); now != seen {
				return now
			}
			if spins%yieldEvery == 0 {
				runtime.Gosched()
			}
		}
		w.asleep.Store(true)
		if p.round.Load() != seen && w.asleep.Swap(false) {
			continue // nobody will wake us: we saw it ourselves
		}
		<-w.wake
	}
}
