package host

import (
	"fmt"
	"time"
)

// PeakMemory is the most memory that the plugins' processes have had resident since ResetPeakMemory, each at its own
// worst moment, in all; false where the system does not tell. What processes that have ended had is not in it.
func (h *Host) PeakMemory() (bytes uint64, ok bool) {
	for _, p := range h.processes() {
		if !p.alive() {
			continue
		}
		n, known := peakMemory(p.pid(), p.wrapped())
		if !known {
			return 0, false
		}
		bytes, ok = bytes+n, true
	}
	return bytes, ok
}

// ResetPeakMemory begins a measurement.
func (h *Host) ResetPeakMemory() {
	for _, p := range h.processes() {
		if p.alive() {
			resetPeakMemory(p.pid(), p.wrapped())
		}
	}
}

// wrapped says whether the process is the wrapper, whose memory is not the plugin's.
func (p *process) wrapped() bool { return p.runner.status != nil }

// memoryEvery is how often the memory of a process with a bound is looked at. What it takes and gives back in between is
// not seen.
const memoryEvery = 100 * time.Millisecond

// boundMemory kills a process that has more memory than its profile allows.
func (h *Host) boundMemory(p *process) {
	if p.profile.memory == 0 {
		return
	}
	h.spawn(func() {
		tick := time.NewTicker(memoryEvery)
		defer tick.Stop()
		for {
			select {
			case <-p.exited():
				return
			case <-tick.C:
			}
			if n, ok := residentMemory(p.pid(), p.wrapped()); ok && n > p.profile.memory {
				p.kill(&tooMuch{used: n, limit: p.profile.memory})
				return
			}
		}
	})
}

// tooMuch is why the host killed a process that took more memory than it may have.
type tooMuch struct{ used, limit uint64 }

func (t *tooMuch) Error() string {
	return fmt.Sprintf("it had %.2f GB resident, and memory_gb allows %.2f", float64(t.used)/1e9, float64(t.limit)/1e9)
}
