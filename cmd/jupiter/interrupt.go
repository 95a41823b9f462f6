package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// oneSignal is for how long a repeated signal counts as the one before: timeout(1) sends its signal to the process and
// then to the whole group, and a person does not press twice that fast.
const oneSignal = time.Second

// interrupts turns signals into two steps: the first asks what runs to save and return, where there is something to ask;
// the second, or the first where there is nothing, ends the context.
type interrupts struct {
	ctx    context.Context
	cancel context.CancelFunc
	now    func() time.Time

	mu    sync.Mutex
	first func(context.Context) // nil: nothing to ask

	signals chan os.Signal
	done    chan struct{}
	running sync.WaitGroup
}

// watchInterrupts begins to watch for SIGINT and SIGTERM. The caller closes it.
func watchInterrupts(ctx context.Context, w *world) *interrupts {
	i := &interrupts{now: w.now, signals: make(chan os.Signal, 2), done: make(chan struct{})}
	i.ctx, i.cancel = context.WithCancel(ctx)
	signal.Notify(i.signals, os.Interrupt, syscall.SIGTERM)
	i.running.Go(i.watch)
	return i
}

func (i *interrupts) watch() {
	asked := false
	var last time.Time // of a signal
	for {
		select {
		case <-i.done:
			return
		case <-i.signals:
		}
		if now := i.now(); last.IsZero() || now.Sub(last) >= oneSignal {
			last = now
		} else {
			continue
		}
		i.mu.Lock()
		first := i.first
		i.mu.Unlock()
		if first == nil || asked {
			i.cancel()
			continue
		}
		asked = true
		i.running.Go(func() { first(i.ctx) })
	}
}

// onFirst sets what the first signal does; nil: it ends the context.
func (i *interrupts) onFirst(f func(context.Context)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.first = f
}

// close stops watching and waits for what the first signal began.
func (i *interrupts) close() {
	signal.Stop(i.signals)
	close(i.done)
	i.cancel()
	i.running.Wait()
}
