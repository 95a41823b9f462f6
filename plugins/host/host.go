// Package host starts plugins, talks to them, watches them and ends them.
//
// A plugin is a process, started from an executable (Program). The built-in ones are the program itself, executed again
// with other arguments; there is no in-process path. A plugin's process starts when it is first needed, or announced by
// Warm, after the executable's SHA-256 was compared with the one that it must have, in a process group of its own, with an environment reduced to
// an allow-list (see environment), and speaks gRPC over a Unix socket with certificates made for this one connection
// (AutoMTLS). It may write to directories of its own alone, and reaches no network unless its stage says that it needs one,
// as far as the system can hold it to that (confine). It then serves call after call. A second process of the same plugin
// starts only when a stage that is not Concurrent is called while another call of it runs, or when a stage may do more or
// less than the process that is there (profile).
//
// Stage gives a handle on one implementation. Its methods are the generated gRPC clients, so that the code that drives
// a stage is the same for every plugin; what differs from a plain connection is what lies under them:
//
//   - The process is started, or started again, when the first message is sent.
//   - A request over gRPC's limit of 4 MiB is sent in parts, as the protocol says.
//   - Errors say what happened: *Crash when the process died, *StageError when the stage returned an error,
//     *ProtocolError when the plugin does not speak the protocol, ErrStopped when the host ended it, and the context's
//     own error when the caller gave up. No error of gRPC's comes through.
//   - A call that gets no message for Options.StallAfter is taken for hung: its process is killed.
//
// A caller reads every stream to its end or cancels its context; else the host takes the call for running.
//
// No process outlives its host. Close ends all, those too that answer nothing any more. When the host is killed, the
// kernel closes the pipe that is each plugin's standard input, and a plugin ends itself and what it has started when its
// standard input ends. One that is suspended at that moment is woken for it: on Linux by a signal that the kernel sends at
// the death of the parent; elsewhere only where its process group is orphaned by that death, which it is not when the
// process that inherits it is in the same session. A plugin that does not watch its standard input, or that somebody
// suspends after the death of its host, remains.
package host

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"jupiter/plugins/proto/pluginv1"
)

// Options configure a Host. Everything has a default.
type Options struct {
	Plugins  map[string]Program // by name
	Version  string             // of the host, told to plugins
	Env      []string           // the parent's environment, "NAME=value"; filtered before a plugin gets it
	Dir      string             // working directory of plugins: relative paths in configurations start here; "": the host's
	CacheDir string             // where descriptions of plugins are kept between runs; "": nowhere

	// Wrapper is the command that starts a plugin confined: a program and its arguments, which calls confine.Main with the
	// ones after them. Where it is nil, or the system has no such thing, plugins are started as they are.
	Wrapper []string

	// Breached is told of each message that breaks the contract, with the stage and the method, and the message goes through
	// all the same: for whoever judges by itself, as the conformance suite does. Nil: such a message ends its process, as an
	// answer that nothing was asked for does in any case. It may be called from several goroutines.
	Breached func(stage, method, wrong string)

	StartTimeout time.Duration // for the handshake; 0: 30 s
	StopGrace    time.Duration // from Stop until a call is killed; 0: 30 s
	StallAfter   time.Duration // without a message, while one is due, until a call is killed; 0: never
	AnswerWithin time.Duration // for Validate and Estimate, which look at a configuration alone; 0: 2 min

	Logger *slog.Logger // starts and ends of processes, at debug level; nil: discarded
	Debug  io.Writer    // all that plugins write to standard error and output; nil: the last lines are kept for crash reports
	Stdout io.Writer    // what plugins write to standard output after the handshake, which Debug then does not get; nil: Debug
}

// maxProcesses bounds the processes of one plugin, of each profile.
const maxProcesses = 4

// Host owns the processes of the plugins. Its methods may be called from several goroutines.
type Host struct {
	opts Options
	log  *slog.Logger

	pools map[string]*pool

	socketDir func() (string, error) // made on first use

	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup   // goroutines that the host owns
	tmp     string           // what socketDir made
	work    string           // see SetWorkDir; "": below tmp
	young   map[*runner]bool // processes that have not shown their handshake yet

	secrets []string // see Conceal; longest first

	confined confinement

	catalogMu sync.Mutex
	catalog   *catalog
	refused   error // what is wrong with a description; asking again helps no one
}

// New makes a host. It starts no process.
func New(o Options) (*Host, error) {
	if o.StartTimeout == 0 {
		o.StartTimeout = 30 * time.Second
	}
	if o.StopGrace == 0 {
		o.StopGrace = 30 * time.Second
	}
	if o.AnswerWithin == 0 {
		o.AnswerWithin = 2 * time.Minute
	}
	h := &Host{opts: o, log: o.Logger, pools: map[string]*pool{}, young: map[*runner]bool{}}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	if o.Debug != nil {
		h.opts.Debug = &lockedWriter{w: o.Debug}
	}
	if o.Stdout != nil {
		h.opts.Stdout = &lockedWriter{w: o.Stdout}
	} else {
		h.opts.Stdout = h.opts.Debug
	}
	h.socketDir = sync.OnceValues(h.makeSocketDir)
	return h, h.Add(o.Plugins)
}

// Add gives the host more plugins. It must come before anything is asked of the host: so the configuration that says
// which plugins it needs can be read while the checksums of the others are made.
func (h *Host) Add(plugins map[string]Program) error {
	type key struct {
		path, tree string
		free       bool
	}
	byPath := map[key]*executable{} // plugins of one executable read it once
	for name, p := range plugins {
		if !filepath.IsAbs(p.Path) {
			return fmt.Errorf("plugin %s: the path of its executable is not absolute: %q", name, p.Path)
		}
		if h.pools[name] != nil {
			return fmt.Errorf("plugin %s: there are two programs for it", name)
		}
		k := key{p.Path, p.Tree, p.Checksum == ""}
		if byPath[k] == nil {
			byPath[k] = newExecutable(p)
		}
		h.pools[name] = newPool(h, name, p, byPath[k])
	}
	// Whoever makes a host will ask it something, and has a configuration to read before.
	for _, e := range byPath {
		h.spawn(func() { _, _ = e.checksum() }) // the error is there for who asks
	}
	return nil
}

// maxSocketDir leaves room in the 104 bytes of a Unix socket's path (darwin; 108 on Linux) for the names that go-plugin
// adds: "/plugin-dir" and "/plugin", each with ten digits.
const maxSocketDir = 104 - 40

// shortTemp is where sockets go when TMPDIR is not set, or too long.
const shortTemp = "/tmp"

func (h *Host) makeSocketDir() (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return "", errClosed
	}
	parent := cmp.Or(lookup(h.opts.Env, "TMPDIR"), shortTemp)
	if len(parent)+len("/jupiter-0123456789") > maxSocketDir {
		parent = shortTemp // darwin's TMPDIR is as long as that by default
	}
	dir, err := os.MkdirTemp(parent, "jupiter-") // for this user alone
	if err != nil {
		return "", fmt.Errorf("make a directory for sockets: %w", err)
	}
	h.tmp = dir
	return dir, nil
}

// processes lists the live processes of all plugins, in order of names.
func (h *Host) processes() []*process {
	names := make([]string, 0, len(h.pools))
	for n := range h.pools {
		names = append(names, n)
	}
	slices.Sort(names)
	var all []*process
	for _, n := range names {
		all = append(all, h.pools[n].processes()...)
	}
	return all
}

// Stop asks the calls that run now to save and return, and waits for them: at most grace, or until ctx ends. Grace 0 is
// Options.StopGrace.
// Then it kills the processes of those that remain, whose calls fail with ErrStopped. The host stays usable. It is up to
// the callers to start nothing new, and to end the requests they stream.
func (h *Host) Stop(ctx context.Context, reason string, grace time.Duration) {
	if grace == 0 {
		grace = h.opts.StopGrace
	}
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	var wg sync.WaitGroup
	for _, p := range h.processes() {
		calls := p.running()
		if len(calls) == 0 {
			continue
		}
		for _, c := range calls {
			c.stopping.Store(true)
		}
		wg.Go(func() {
			h.log.Debug("stop plugin", "plugin", p.name, "pid", p.pid(), "reason", reason)
			if _, err := pluginv1.NewPluginClient(p.conn).Stop(ctx, &pluginv1.StopRequest{Reason: reason}); err != nil {
				h.log.Debug("stop plugin", "plugin", p.name, "pid", p.pid(), "error", err)
			}
			for _, c := range calls {
				select {
				case <-c.done:
				case <-p.exited():
				case <-ctx.Done():
					p.kill(fmt.Errorf("%w: it had not saved when the time for that was over", ErrStopped))
					<-p.exited()
				}
			}
		})
	}
	wg.Wait()
}

// Close ends all processes and waits for them. Calls that still run fail with ErrStopped. Nothing can be called after.
func (h *Host) Close() error {
	h.mu.Lock()
	h.closed = true
	for r := range h.young {
		_ = r.Kill(context.Background()) // it never fails
	}
	h.mu.Unlock()
	var wg sync.WaitGroup
	for _, p := range h.processes() {
		wg.Go(p.end)
	}
	wg.Wait()
	h.running.Wait() // starts that were under way
	for _, p := range h.processes() {
		p.end()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.tmp == "" {
		return nil
	}
	return os.RemoveAll(h.tmp)
}

// spawn runs f in a goroutine that Close waits for. It is false once the host is closed.
func (h *Host) spawn(f func()) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.running.Go(f)
	return true
}

// adopt enters a process that is about to start, so that Close ends it. It is false once the host is closed.
func (h *Host) adopt(r *runner) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.young[r] = true
	return !h.closed
}

// release forgets a process that has started, or has not.
func (h *Host) release(r *runner) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.young, r)
}

// lockedWriter lets several processes share a writer.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}
