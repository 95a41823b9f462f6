package host

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"jupiter/plugins/proto/pluginv1"
)

// What only the conformance suite asks for: the run of a pipeline believes nothing of a plugin that it would have to look at
// this closely.

// Describe asks a plugin's process what it offers, whatever the cache says, and believes none of it. It says how the plugin
// was reached, too: of TLSDetect what was found.
func (h *Host) Describe(ctx context.Context, name string) (*pluginv1.InfoResponse, TLS, error) {
	l := h.pools[name]
	if l == nil {
		return nil, "", fmt.Errorf("there is no plugin %s", name)
	}
	client := pluginv1.NewPluginClient(&conn{pool: l, stage: "plugin " + name})
	info, err := client.Info(ctx, &pluginv1.InfoRequest{HostVersion: h.opts.Version})
	return info, l.tls(), err
}

// EndInput closes the standard input of all processes, as the death of the host would, and waits for their end at most for
// within. It gives the numbers of the processes, and of what they had started, that are there all the same. They are killed
// then. ok is false where the system does not tell what a process has started: then those are not among them.
func (h *Host) EndInput(within time.Duration) (remain []int, ok bool) {
	all := h.processes()
	var pids []int
	for _, p := range all {
		pids = append(pids, tree(p.pid())...)
		p.mu.Lock()
		p.cause = errClosed
		p.mu.Unlock()
	}
	for _, p := range all {
		p.runner.stdin.Close()
	}
	deadline := time.Now().Add(within)
	for _, p := range all {
		select {
		case <-p.exited():
		case <-time.After(time.Until(deadline)):
		}
	}
	for { // what a process had started may need a moment longer than itself
		remain = slices.DeleteFunc(slices.Clone(pids), func(pid int) bool { return !lives(pid) })
		if len(remain) == 0 || time.Now().After(deadline) {
			break
		}
		time.Sleep(endPoll)
	}
	for _, p := range all {
		p.end()
	}
	for _, pid := range remain {
		if p, err := os.FindProcess(pid); err == nil {
			_ = p.Kill() // it may have ended by now
		}
	}
	return remain, LimitsHold
}

const endPoll = 10 * time.Millisecond

// PIDs lists the processes of all plugins that live, or of their wrappers.
func (h *Host) PIDs() (all []int) {
	for _, p := range h.processes() {
		if p.alive() {
			all = append(all, p.pid())
		}
	}
	return all
}
