package host

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	goplugin "github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"

	"jupiter/plugins/host/confine"
	"jupiter/plugins/sdk"
)

// process is one running plugin.
type process struct {
	name     string
	profile  profile
	checksum string
	client   *plugin.Client
	conn     *grpc.ClientConn
	runner   *runner
	tail     *tail
	hide     func([]string) []string // see Host.Conceal

	reap sync.Once

	mu    sync.Mutex
	calls map[*call]bool
	cause error // why the host killed it
}

// call is one request in work.
type call struct {
	process   *process
	exclusive string        // the stage that this call keeps for itself in the process; "" where it shares
	done      chan struct{} // closed when the call is over
	once      sync.Once
	stopping  atomic.Bool // the host has asked it to stop
}

// clientSide takes the connection as it is: the services' clients are made where they are used.
type clientSide struct{ plugin.NetRPCUnsupportedPlugin }

func (clientSide) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error {
	return errors.New("host: serves nothing to plugins")
}

func (clientSide) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, c *grpc.ClientConn) (any, error) {
	return c, nil
}

// start launches a process of a plugin and waits for its handshake. The pool is notified after the process has ended.
func (h *Host) start(l *pool, want *profile) (*process, error) {
	how := l.tls()
	if how != TLSDetect {
		return h.startWith(l, want, how)
	}
	how = TLSAuto
	p, err := h.startWith(l, want, how)
	if bare := (noCertificate{}); errors.As(err, &bare) {
		how = TLSGiven
		p, err = h.startWith(l, want, how)
	}
	if err == nil {
		l.found(how)
	}
	return p, err
}

func (h *Host) startWith(l *pool, want *profile, secure TLS) (*process, error) {
	name := l.name
	sum, err := l.exe.checksum()
	if err != nil {
		return nil, fmt.Errorf("plugin %s: checksum: %w", name, err)
	}
	dir, err := h.socketDir()
	if err != nil {
		return nil, fmt.Errorf("plugin %s: %w", name, err)
	}
	ours, certEnv, err := secure.certificates()
	if err != nil {
		return nil, fmt.Errorf("plugin %s: make certificates: %w", name, err)
	}
	may, err := h.profileOf(nil, Limits{}, "")
	if want != nil {
		may = *want
	} else if err != nil {
		return nil, fmt.Errorf("plugin %s: %w", name, err)
	}
	own, err := ownDir(may.work, name)
	if err != nil {
		return nil, fmt.Errorf("plugin %s: %w", name, err)
	}
	p := &process{name: name, profile: may, checksum: hex.EncodeToString(sum), tail: &tail{next: h.opts.Debug}, calls: map[*call]bool{}, hide: h.hideAll}
	p.client = plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  plugin.HandshakeConfig{ProtocolVersion: sdk.ProtocolVersion, MagicCookieKey: sdk.CookieKey, MagicCookieValue: sdk.CookieValue},
		Plugins:          plugin.PluginSet{sdk.ServiceName: clientSide{}},
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		TLSConfig:        ours,
		SkipHostEnv:      true,
		StartTimeout:     h.opts.StartTimeout,
		UnixSocketConfig: &plugin.UnixSocketConfig{TempDir: dir},
		Stderr:           p.tail,
		SyncStdout:       p.tail, // of plugins that stream theirs, as go-plugin's own do
		SyncStderr:       p.tail,
		Logger:           hclog.NewNullLogger(),
		RunnerFunc: func(_ hclog.Logger, cmd *exec.Cmd, sockets string) (goplugin.Runner, error) {
			env := append(environment(h.opts.Env, strings.Fields(may.names)), cmd.Env...)
			env = append(append(env, certEnv...), sdk.WatchKey+"=1", "TMPDIR="+filepath.Join(own, temporary))
			p.runner = &runner{
				cmd: exec.Cmd{Env: env, Dir: h.opts.Dir}, exe: l.exe, program: l.program, handshake: &firstLine{rest: h.opts.Stdout}, exited: make(chan struct{}),
				confined: &h.confined, wrapper: h.opts.Wrapper, started: func() { h.bound(p) },
				spec: confine.Spec{Write: []string{own, sockets}, Network: may.network, Processes: kernelBound(may.limits.Processes), Remove: dir},
			}
			if !h.adopt(p.runner) {
				return nil, errClosed
			}
			return p.runner, nil
		},
		GRPCDialOptions: []grpc.DialOption{grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxReceive), grpc.MaxCallSendMsgSize(maxReceive))},
	})
	_, err = p.client.Start()
	h.release(p.runner)
	if err != nil {
		return nil, p.notStarted(err, h.opts.StartTimeout)
	}
	if secure == TLSAuto && !certified(p.runner.handshake.text()) {
		p.end()
		return nil, noCertificate{p.protocolError("its handshake carries no certificate").(*ProtocolError)}
	}
	if err := p.connect(h.opts.StartTimeout); err != nil {
		p.end()
		return nil, err
	}
	h.log.Debug("plugin started", "plugin", name, "pid", p.pid())
	h.spawn(func() {
		<-p.exited()
		h.log.Debug("plugin ended", "plugin", name, "pid", p.pid(), "state", p.runner.ended.String())
		p.end()
		l.notify()
	})
	return p, nil
}

// temporary is the name of a plugin's directory for temporary files, below its own.
const temporary = "tmp"

// ownDir makes the directory that the processes of a plugin may write below.
func ownDir(work, plugin string) (string, error) {
	dir := filepath.Join(work, plugin)
	if err := os.MkdirAll(filepath.Join(dir, temporary), 0o755); err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(dir)
}

// connect opens the connection to a plugin that has shown its handshake. go-plugin waits for it without limit.
func (p *process) connect(timeout time.Duration) error {
	guard := time.AfterFunc(timeout, func() {
		p.kill(p.protocolError(fmt.Sprintf("no connection within %s of its handshake", timeout)))
	})
	defer guard.Stop()
	cp, err := p.client.Client()
	var conn any
	if err == nil {
		conn, err = cp.Dispense(sdk.ServiceName)
	}
	switch cause := p.killedFor(); {
	case tooGreedy(cause):
		<-p.exited()
		return p.crash(cause.Error())
	case cause != nil:
		return cause
	case err != nil:
		return p.protocolError("connect: " + err.Error())
	}
	p.conn = conn.(*grpc.ClientConn)
	return nil
}

// maxReceive is gRPC's default for a server, which the protocol makes the limit in both directions.
const maxReceive = 4 << 20

// notStarted says why a plugin gave no handshake.
func (p *process) notStarted(err error, timeout time.Duration) error {
	if p.runner == nil || p.runner.ID() == "" {
		p.end()
		var ce *ChecksumError
		if errors.As(err, &ce) {
			ce.Plugin = p.name
			return ce
		}
		return fmt.Errorf("start plugin %s: %w", p.name, err)
	}
	// Whether it ended by itself is known a moment after its pipes have closed.
	timedOut := strings.HasPrefix(err.Error(), "timeout while waiting")
	byItself := false
	if !timedOut {
		select {
		case <-p.exited():
			byItself = !p.runner.wasKilled()
		case <-time.After(pipeGrace):
		}
	}
	p.end()
	first := p.runner.handshake.text()
	if err := p.runner.notExecuted(); err != nil {
		return fmt.Errorf("start plugin %s: %w", p.name, err)
	}
	cause := p.killedFor()
	switch {
	case tooGreedy(cause):
		return p.crash(cause.Error())
	case first != "" && !strings.HasPrefix(first, "1|"):
		return p.protocolError(fmt.Sprintf("it wrote %.80q to standard output, where the handshake belongs", first))
	case first != "":
		line, _, _ := strings.Cut(err.Error(), "\n")
		return p.protocolError("its handshake is not valid: " + line)
	case timedOut:
		return p.protocolError(fmt.Sprintf("no handshake within %s", timeout))
	case refusedCookie(p.tail.last()):
		return p.protocolError("it refuses to be started by this host (magic cookie); it may be made for another protocol version")
	case !byItself:
		return p.protocolError("it closed its standard output and gave no handshake")
	}
	return p.crash("it ended before it was ready")
}

// refusedCookie recognises what go-plugin and this project's SDK say to a host with the wrong magic cookie.
func refusedCookie(stderr []string) bool {
	all := strings.Join(stderr, "\n")
	return strings.Contains(all, "magic cookie") || strings.Contains(all, "This binary is a plugin")
}

func (p *process) pid() int {
	n, _ := strconv.Atoi(p.runner.ID()) // "" gives 0
	return n
}

func (p *process) exited() <-chan struct{} { return p.runner.exited }

func (p *process) alive() bool {
	select {
	case <-p.exited():
		return false
	default:
		return true
	}
}

// kill ends the process at once. cause is what its calls fail with.
func (p *process) kill(cause error) {
	p.mu.Lock()
	if p.cause == nil && p.alive() {
		p.cause = cause
	}
	p.mu.Unlock()
	_ = p.runner.Kill(context.Background()) // it never fails
}

// killedFor gives why the host killed the process, or nil.
func (p *process) killedFor() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cause
}

// endGrace is how long a process has to exit when it is asked to.
const endGrace = 2 * time.Second

// end asks the process to exit, kills it where it does not at once, and waits until all that it wrote has been read.
//
// go-plugin asks with a call that has no deadline, and gives a process that has answered two seconds: one that cannot
// answer, because it is suspended or its server is stuck, would hold it for ever.
func (p *process) end() {
	p.reap.Do(func() {
		p.mu.Lock()
		if p.cause == nil && p.runner != nil && p.alive() {
			p.cause = errClosed
		}
		p.mu.Unlock()
		if p.runner != nil {
			guard := time.AfterFunc(endGrace, func() { _ = p.runner.Kill(context.Background()) }) // it never fails
			defer guard.Stop()
		}
		p.client.Kill()
	})
}

// running lists the calls in work.
func (p *process) running() []*call {
	p.mu.Lock()
	defer p.mu.Unlock()
	calls := make([]*call, 0, len(p.calls))
	for c := range p.calls {
		calls = append(calls, c)
	}
	return calls
}

// lastWords are the last lines of the process on its standard error, without secrets.
func (p *process) lastWords() []string { return p.hide(p.tail.last()) }

func (p *process) protocolError(detail string) error {
	return &ProtocolError{Plugin: p.name, Checksum: p.checksum, Detail: detail, Stderr: p.lastWords()}
}

// crash describes the end of the process, which must have ended.
func (p *process) crash(detail string) *Crash {
	c := &Crash{Plugin: p.name, Checksum: p.checksum, PID: p.pid(), Detail: detail, ExitCode: p.runner.ended.code, Stderr: p.lastWords()}
	c.Signal = p.runner.ended.signal
	kill := p.runner.ended.killed && c.Signal != "" && !p.runner.wasKilled()
	counted := p.runner.oomBefore >= 0 && oomKills() > p.runner.oomBefore
	var much *tooMuch
	var many *crowd
	switch cause := p.killedFor(); {
	case errors.As(cause, &much):
		c.OOM = true
	case errors.As(cause, &many):
		c.Crowded = true
	case kill && counted:
		c.OOM = true
	case kill && detail == "":
		c.Detail = "neither the plugin nor Jupiter sent this signal; where nobody did by hand, the system was short of memory"
	case !p.runner.wasKilled() && saysOutOfMemory(c.Stderr):
		c.OOM = true
	case !p.runner.wasKilled() && p.runner.status.bounded() && saysOutOfThreads(c.Stderr):
		c.Crowded = true
		if c.Detail == "" {
			c.Detail = fmt.Sprintf("it could start no more, and limits.processes allows %d", p.profile.limits.Processes)
		}
	}
	return c
}

// saysOutOfThreads recognises the last words of the Go and Python runtimes where the kernel refuses another thread.
func saysOutOfThreads(stderr []string) bool {
	for _, l := range stderr {
		if strings.Contains(l, "runtime: failed to create new OS thread") || strings.Contains(l, "can't start new thread") {
			return true
		}
	}
	return false
}

// saysOutOfMemory recognises the last words of the Go, CUDA and Python runtimes.
func saysOutOfMemory(stderr []string) bool {
	for _, l := range stderr {
		for _, s := range []string{"fatal error: runtime: out of memory", "runtime: cannot allocate memory", "fatal error: runtime: cannot allocate", "CUDA out of memory", "MemoryError", "std::bad_alloc"} {
			if strings.Contains(l, s) {
				return true
			}
		}
	}
	return false
}
