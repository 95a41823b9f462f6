package host

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"
)

// runner is the process under go-plugin's client. go-plugin's own runner gives a plugin the host's standard input, kills
// the process and not its group, and waits for whoever holds the pipes; this one does neither.
type runner struct {
	cmd  *exec.Cmd
	exe  *executable
	want string // its checksum; "": what it was

	stdin          *os.File // write end: closed with the host, whatever ends it
	stdout, stderr *os.File // read ends
	handshake      *firstLine

	exited chan struct{} // closed when state is set
	state  *os.ProcessState

	oomBefore int64 // kills that the kernel had counted when the process started

	mu     sync.Mutex
	pid    int
	killed bool
}

// pipeGrace is how long the pipes stay open after the process has ended: a process that left the group may hold their
// other ends for ever.
const pipeGrace = time.Second

func newRunner(exe *executable, p Program, env []string, dir string, debug io.Writer) *runner {
	cmd := &exec.Cmd{Path: exe.path, Args: append([]string{exe.path}, p.Args...), Env: env, Dir: dir, SysProcAttr: ownGroup()}
	return &runner{cmd: cmd, exe: exe, want: p.Checksum, handshake: &firstLine{rest: debug}, exited: make(chan struct{})}
}

// Start verifies the executable and starts it.
func (r *runner) Start(context.Context) error {
	if err := r.exe.verify(r.want); err != nil {
		return err
	}
	var child []*os.File
	pipe := func(hostReads bool) (host, plugin *os.File, err error) {
		pr, pw, err := os.Pipe()
		if err != nil {
			return nil, nil, err
		}
		if hostReads {
			child = append(child, pw)
			return pr, pw, nil
		}
		child = append(child, pr)
		return pw, pr, nil
	}
	var in, out, errs *os.File
	var e1, e2, e3 error
	r.stdin, in, e1 = pipe(false)
	r.stdout, out, e2 = pipe(true)
	r.stderr, errs, e3 = pipe(true)
	err := errors.Join(e1, e2, e3)
	if err == nil {
		r.cmd.Stdin, r.cmd.Stdout, r.cmd.Stderr = in, out, errs
		r.oomBefore = oomKills()
		err = r.cmd.Start()
	}
	for _, f := range child {
		f.Close()
	}
	if err != nil {
		for _, f := range []*os.File{r.stdin, r.stdout, r.stderr} {
			if f != nil {
				f.Close()
			}
		}
		return err
	}
	r.handshake.r = r.stdout
	r.mu.Lock()
	r.pid = r.cmd.Process.Pid
	if r.killed { // before it had started
		killGroup(r.pid)
	}
	r.mu.Unlock()
	go r.wait()
	return nil
}

// wait reaps the process and ends what is left of its group.
func (r *runner) wait() {
	_ = r.cmd.Wait() // the state says it all
	r.state = r.cmd.ProcessState
	killGroup(r.pid)
	r.stdin.Close()
	close(r.exited)
	time.AfterFunc(pipeGrace, func() {
		r.stdout.Close()
		r.stderr.Close()
	})
}

// Kill ends the process and its group at once.
func (r *runner) Kill(context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-r.exited:
		return nil
	default:
	}
	r.killed = true
	if r.pid != 0 {
		killGroup(r.pid)
		_ = r.cmd.Process.Kill()
	}
	return nil
}

// wasKilled says whether the host ended the process, which must have ended. One that exited just before the host would
// have killed it was not killed.
func (r *runner) wasKilled() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.killed && endedByKill(r.state)
}

// Wait waits for the end of the process.
func (r *runner) Wait(ctx context.Context) error {
	select {
	case <-r.exited:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ID is the process's number, "" before it has started.
func (r *runner) ID() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pid == 0 {
		return ""
	}
	return strconv.Itoa(r.pid)
}

func (r *runner) Name() string                    { return r.cmd.Path }
func (r *runner) Stdout() io.ReadCloser           { return r.handshake }
func (r *runner) Stderr() io.ReadCloser           { return r.stderr }
func (r *runner) Diagnose(context.Context) string { return "" }

// PluginToHost and HostToPlugin translate nothing: plugin and host see the same file system.
func (r *runner) PluginToHost(network, addr string) (string, string, error) {
	return network, addr, nil
}
func (r *runner) HostToPlugin(network, addr string) (string, string, error) {
	return network, addr, nil
}

// firstLine hands the first line of a plugin's standard output to go-plugin, for the handshake, and swallows the rest:
// go-plugin would stop reading at a long line, and the plugin would then block for ever.
type firstLine struct {
	r    io.ReadCloser
	rest io.Writer // nil: nowhere

	mu   sync.Mutex
	line []byte // what came so far, at most handshakeLimit bytes
	over bool
}

// handshakeLimit is far above the length of a handshake with its certificate, and below what go-plugin reads as a line.
const handshakeLimit = 32 << 10

func (f *firstLine) Read(b []byte) (int, error) {
	for {
		n, err := f.r.Read(b)
		f.mu.Lock()
		if f.over {
			if f.rest != nil && n > 0 {
				_, _ = f.rest.Write(b[:n])
			}
			f.mu.Unlock()
			if err != nil {
				return 0, err
			}
			continue
		}
		if i := bytes.IndexByte(b[:n], '\n'); i >= 0 {
			n, f.over = i+1, true
		} else if len(f.line)+n > handshakeLimit {
			f.over = true
		}
		f.line = append(f.line, b[:n]...)
		if f.over && !bytes.HasSuffix(f.line, []byte{'\n'}) && n > 0 {
			b[n-1] = '\n' // ends the line that is too long
		}
		f.mu.Unlock()
		return n, err
	}
}

func (f *firstLine) Close() error { return f.r.Close() }

// text gives what was read as the handshake.
func (f *firstLine) text() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return string(bytes.TrimSpace(f.line))
}
