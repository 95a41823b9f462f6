package host

import (
	"errors"
	"slices"
	"sync"
)

// errUnloaded is why a process is gone that had nothing to do and much memory.
var errUnloaded = errors.New("the process was ended, because another stage needs the memory")

// kept is the memory, in bytes, that a process with nothing to do may hold on to: several times what a built-in plugin has
// without a model (measured: 25 to 40 MB), and less than a model whose memory is worth the wait for it to be read again.
const kept = 256 << 20

// Unload ends the processes of all plugins but those named that do nothing and hold more memory than a process without a
// model does; where the system does not tell what they hold, all that do nothing. What they have started, such as a server
// of a model, ends with them. A later call starts a new one. It gives the plugins that had such a process, in order.
func (h *Host) Unload(but ...string) (ended []string) {
	var wg sync.WaitGroup
	for _, p := range h.processes() {
		if slices.Contains(but, p.name) || !p.alive() {
			continue
		}
		if n, known := residentMemory(p.pid(), p.wrapped()); known && n <= kept || !p.retire() {
			continue
		}
		h.log.Debug("unload plugin", "plugin", p.name, "pid", p.pid())
		ended = append(ended, p.name)
		wg.Go(func() {
			p.end()
			<-p.exited()
		})
	}
	wg.Wait()
	return ended
}

// retire says whether the process has nothing to do, and then lets no call begin in it any more.
func (p *process) retire() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cause != nil || len(p.calls) > 0 {
		return false
	}
	p.cause = errUnloaded
	return true
}
