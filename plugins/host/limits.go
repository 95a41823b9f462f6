package host

import (
	"errors"
	"fmt"
	"time"
)

// Limits bound a process of a plugin, with what it starts.
type Limits struct {
	Memory    uint64 // resident, in bytes; 0: no bound
	Processes uint64 // processes and threads; 0: DefaultProcesses
}

// DefaultProcesses is far above what a program needs that means well, with its threads for each processor, and below what
// makes a machine unusable.
const DefaultProcesses = 4096

// kernelBound is where the kernel refuses more processes than a limit allows: so far above it that the host, which looks
// now and then, finds the limit passed and can say so, and that the wrapper has room for threads of its own.
func kernelBound(limit uint64) uint64 { return limit + limit/8 + 64 }

// How often a process is looked at. What it takes and gives back in between is not seen. Where the kernel holds the
// number of processes there is only the error to be found in time.
const (
	lookEvery = 100 * time.Millisecond
	seldom    = 10 // looks that are left out where the kernel holds the only bound
)

// bound kills a process that has more than its limits allow.
func (h *Host) bound(p *process) {
	h.spawn(func() {
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-p.exited():
				return
			case <-tick.C:
			}
			if n%seldom != 0 && p.profile.limits.Memory == 0 && p.runner.status.bounded() {
				continue
			}
			if e := p.excess(); e != nil {
				p.kill(e)
				return
			}
		}
	})
}

// excess is what a process has too much of; nil: nothing.
func (p *process) excess() error {
	l := p.profile.limits
	if l.Memory > 0 {
		if n, ok := residentMemory(p.pid(), p.wrapped()); ok && n > l.Memory {
			return &tooMuch{used: n, limit: l.Memory}
		}
	}
	if n := threads(p.pid(), p.wrapped()); n > l.Processes {
		return &crowd{has: n, limit: l.Processes}
	}
	return nil
}

// tooGreedy says whether the host killed a process for what excess found.
func tooGreedy(cause error) bool {
	var much *tooMuch
	var many *crowd
	return errors.As(cause, &much) || errors.As(cause, &many)
}

// tooMuch is why the host killed a process that took more memory than it may have.
type tooMuch struct{ used, limit uint64 }

func (t *tooMuch) Error() string {
	return fmt.Sprintf("it had %.2f GB resident, and memory_gb allows %.2f", float64(t.used)/1e9, float64(t.limit)/1e9)
}

// crowd is why the host killed a process that started more than it may.
type crowd struct{ has, limit uint64 }

func (c *crowd) Error() string {
	return fmt.Sprintf("it had %d processes and threads, and limits.processes allows %d", c.has, c.limit)
}
