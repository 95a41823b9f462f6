package host

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
)

// pool has the processes of one plugin.
type pool struct {
	host    *Host
	name    string
	program Program
	exe     *executable

	starting chan struct{} // holds a token while no process is being started

	mu      sync.Mutex
	procs   []*process
	changed chan struct{} // closed, and replaced, when a process may have become free
}

func newPool(h *Host, name string, p Program, exe *executable) *pool {
	l := &pool{host: h, name: name, program: p, exe: exe, starting: make(chan struct{}, 1), changed: make(chan struct{})}
	l.starting <- struct{}{}
	return l
}

// tls is how the plugin's connections are secured.
func (l *pool) tls() TLS {
	l.mu.Lock()
	defer l.mu.Unlock()
	return cmp.Or(l.program.TLS, TLSAuto)
}

// found settles what TLSDetect comes to.
func (l *pool) found(how TLS) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.program.TLS = how
}

func (l *pool) processes() []*process {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.procs)
}

// acquire gives a call in a live process of a profile, which is started if need be; nil takes a process of any. exclusive
// names a stage that takes one call at a time in a process; "" shares it. The caller must release the call.
func (l *pool) acquire(ctx context.Context, exclusive string, want *profile) (*call, error) {
	for {
		c, free, full := l.take(exclusive, want)
		if c != nil {
			return c, nil
		}
		start := l.starting
		if full {
			start = nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("plugin %s: %w", l.name, context.Cause(ctx))
		case <-free:
			continue
		case <-start:
		}
		if err := l.start(ctx, exclusive, want); err != nil {
			return nil, err
		}
	}
}

// take looks for a process that is free for a call. Where there is none it gives what to wait for, and whether another
// process may be started.
func (l *pool) take(exclusive string, want *profile) (c *call, free <-chan struct{}, full bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.procs = slices.DeleteFunc(l.procs, func(p *process) bool { return !p.alive() })
	same := 0
	for _, p := range l.procs {
		if want != nil && p.profile != *want {
			continue
		}
		same++
		if c := p.begin(exclusive); c != nil {
			return c, nil, false
		}
	}
	return nil, l.changed, same >= maxProcesses
}

// start adds a process. It holds the token: one start of a plugin at a time, and who waited looks again before it
// starts one more. When ctx ends the start goes on without the caller.
func (l *pool) start(ctx context.Context, exclusive string, want *profile) error {
	if c, _, _ := l.take(exclusive, want); c != nil { // somebody else's start
		c.release()
		l.starting <- struct{}{}
		return nil
	}
	done := make(chan error, 1)
	ok := l.host.spawn(func() {
		p, err := l.host.start(l, want)
		if err == nil {
			l.mu.Lock()
			l.procs = append(l.procs, p)
			l.mu.Unlock()
		}
		l.starting <- struct{}{}
		l.notify()
		done <- err
	})
	if !ok {
		l.starting <- struct{}{}
		return fmt.Errorf("plugin %s: %w", l.name, errClosed)
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("plugin %s: %w", l.name, context.Cause(ctx))
	}
}

// notify wakes who waits for a free process.
func (l *pool) notify() {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.changed)
	l.changed = make(chan struct{})
}

// begin enters a call, unless another has the stage for itself or the host has killed the process.
func (p *process) begin(exclusive string) *call {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cause != nil {
		return nil
	}
	if exclusive != "" {
		for c := range p.calls {
			if c.exclusive == exclusive {
				return nil
			}
		}
	}
	c := &call{process: p, exclusive: exclusive, done: make(chan struct{})}
	p.calls[c] = true
	return c
}

// release ends the call. It may be called more than once.
func (c *call) release() {
	c.once.Do(func() {
		p := c.process
		p.mu.Lock()
		delete(p.calls, c)
		p.mu.Unlock()
		close(c.done)
	})
}
