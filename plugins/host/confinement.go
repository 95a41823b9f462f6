package host

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"

	"jupiter/plugins/host/confine"
)

// confinement is what the host has learned about the wrapper on this system.
type confinement struct {
	mu      sync.Mutex
	refused bool // namespaces were
	known   bool // a wrapper has reported
	missing []string
}

// Unconfined lists what this system lacks to hold plugins to what they may do, a sentence each; none where it lacks nothing.
func (h *Host) Unconfined() []string {
	if len(h.opts.Wrapper) == 0 || !confine.Supported {
		return []string{"Plugins can write wherever the user can, and reach the network, and start any number of processes: this system has nothing that Jupiter could confine them with."}
	}
	known := func() bool {
		h.confined.mu.Lock()
		defer h.confined.mu.Unlock()
		return h.confined.known
	}
	if !known() {
		h.tryConfinement()
	}
	h.confined.mu.Lock()
	defer h.confined.mu.Unlock()
	if !h.confined.known {
		return []string{"Whether plugins can be confined is not known: the wrapper that would confine them does not start."}
	}
	return slices.Clone(h.confined.missing)
}

// tryConfinement starts the wrapper with nothing to start.
func (h *Host) tryConfinement() {
	r := &runner{confined: &h.confined, wrapper: h.opts.Wrapper, exe: &executable{}, cmd: exec.Cmd{Env: environment(h.opts.Env, nil)},
		spec: confine.Spec{Processes: kernelBound(DefaultProcesses)}}
	if err := r.launchConfined(); err != nil {
		h.log.Debug("try the wrapper", "error", err)
		return
	}
	_ = r.cmd.Wait() // what it has told counts
	r.status.wait()
}

func (c *confinement) namespaces() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.refused
}

func (c *confinement) refuse() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refused = true
}

func (c *confinement) learn(r *confine.Report) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known = true
	for _, m := range r.Missing {
		if !slices.Contains(c.missing, m) {
			c.missing = append(c.missing, m)
		}
	}
}

// launchConfined starts the wrapper, in namespaces unless the system refuses them, and waits until it has started the
// plugin or could not.
func (r *runner) launchConfined() error {
	r.spec.Path, r.spec.Args = r.exe.path, r.program.Args
	for {
		r.spec.Namespaces = r.confined.namespaces()
		err := r.startWrapper()
		if err == nil || !r.spec.Namespaces || !confine.Refused(err) {
			return err
		}
		r.confined.refuse()
	}
}

func (r *runner) startWrapper() error {
	arg, err := r.spec.Arg()
	if err != nil {
		return err
	}
	p, err := newPipe(true)
	if err != nil {
		return err
	}
	r.cmd = exec.Cmd{
		Path: r.wrapper[0], Args: append(slices.Clone(r.wrapper), arg), Env: r.cmd.Env, Dir: r.cmd.Dir,
		Stdin: r.cmd.Stdin, Stdout: r.cmd.Stdout, Stderr: r.cmd.Stderr, ExtraFiles: []*os.File{p.theirs},
		SysProcAttr: confine.Attr(r.spec.Namespaces, r.spec.Network),
	}
	err = r.cmd.Start()
	p.theirs.Close()
	if err != nil {
		p.ours.Close()
		return err
	}
	r.status = hear(p.ours, r.confined.learn)
	return nil
}

// told is what the wrapper tells.
type told struct {
	done   chan struct{}
	exit   *confine.Exit
	failed string
	held   atomic.Bool // the kernel holds the number of processes
}

// bounded says whether the kernel holds the number of processes.
func (s *told) bounded() bool { return s != nil && s.held.Load() }

func hear(f *os.File, learn func(*confine.Report)) *told {
	s := &told{done: make(chan struct{})}
	go func() {
		defer close(s.done)
		defer f.Close()
		lines := bufio.NewScanner(f)
		for lines.Scan() {
			var m confine.Message
			if json.Unmarshal(lines.Bytes(), &m) != nil {
				return // nobody else has the pipe
			}
			switch {
			case m.Report != nil:
				s.held.Store(m.Report.Bounded)
				learn(m.Report)
			case m.Failed != "":
				s.failed = m.Failed
			case m.Exit != nil:
				s.exit = m.Exit
			}
		}
	}()
	return s
}

// wait waits for the end of the pipe, which comes with that of the wrapper.
func (s *told) wait() { <-s.done }

// ending is the plugin's, where the wrapper told it; else it is the wrapper's own.
func (s *told) ending(wrapper ending) ending {
	switch {
	case s.exit == nil:
		return wrapper
	case s.exit.Signal != 0:
		return bySignal(syscall.Signal(s.exit.Signal))
	}
	return ending{code: s.exit.Code}
}

// notExecuted is why the wrapper could not start the plugin, which must have ended; nil where it could.
func (r *runner) notExecuted() error {
	if r.status == nil || r.status.failed == "" {
		return nil
	}
	return fmt.Errorf("execute %s: %w", r.exe.path, errors.New(r.status.failed))
}
