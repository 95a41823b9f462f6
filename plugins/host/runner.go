package host

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"

	"jupiter/plugins/host/confine"
)

// runner is the process under go-plugin's client. go-plugin's own runner gives a plugin the host's standard input, kills
// the process and not its group, and waits for whoever holds the pipes; this one does neither. Where the host has a wrapper
// the process is the wrapper, and the plugin its child.
type runner struct {
	cmd     exec.Cmd
	exe     *executable
	program Program

	confined *confinement
	wrapper  []string // nil: there is none
	spec     confine.Spec
	status   *told // by the wrapper; nil: there is none

	stdin          *os.File // write end: closed with the host, whatever ends it
	stdout, stderr *os.File // read ends
	handshake      *firstLine

	started func()        // called once it has started
	exited  chan struct{} // closed when ended is set
	ended   ending

	oomBefore int64 // kills that the kernel had counted when the process started

	mu     sync.Mutex
	pid    int
	killed bool
}

// ending is how a plugin ended.
type ending struct {
	code   int    // -1 where a signal ended it
	signal string // its name; "" where it exited
	killed bool   // it ended as the host ends processes, whoever did it
}

func (e ending) String() string {
	if e.signal != "" {
		return "signal: " + e.signal
	}
	return "exit status " + strconv.Itoa(e.code)
}

// pipeGrace is how long the pipes stay open after the process has ended: a process that left the group may hold their
// other ends for ever.
const pipeGrace = time.Second

// Start verifies the executable and starts it.
func (r *runner) Start(context.Context) error {
	if err := r.exe.verify(r.program.Checksum); err != nil {
		return err
	}
	in, err := newPipe(false)
	if err != nil {
		return err
	}
	out, err := newPipe(true)
	if err != nil {
		in.close()
		return err
	}
	errs, err := newPipe(true)
	if err != nil {
		in.close()
		out.close()
		return err
	}
	r.cmd.Stdin, r.cmd.Stdout, r.cmd.Stderr = in.theirs, out.theirs, errs.theirs
	r.oomBefore = oomKills()
	err = r.launch()
	for _, p := range []*pipe{in, out, errs} {
		p.theirs.Close()
		if err != nil {
			p.ours.Close()
		}
	}
	if err != nil {
		return err
	}
	r.stdin, r.stdout, r.stderr = in.ours, out.ours, errs.ours
	r.handshake.r = r.stdout
	r.mu.Lock()
	r.pid = r.cmd.Process.Pid
	if r.killed { // before it had started
		killGroup(r.pid)
	}
	r.mu.Unlock()
	go r.wait()
	r.started()
	return nil
}

// launch starts the process: the plugin, or the wrapper that starts it.
func (r *runner) launch() error {
	if len(r.wrapper) > 0 && confine.Supported {
		return r.launchConfined()
	}
	r.cmd.Path, r.cmd.Args, r.cmd.SysProcAttr = r.exe.path, append([]string{r.exe.path}, r.program.Args...), ownGroup()
	return r.cmd.Start()
}

// wait reaps the process and ends what is left of its group.
func (r *runner) wait() {
	_ = r.cmd.Wait() // the state says it all
	r.ended = endingOf(r.cmd.ProcessState)
	killGroup(r.pid)
	if r.status != nil {
		r.status.wait()
		r.ended = r.status.ending(r.ended)
	}
	r.stdin.Close()
	close(r.exited)
	time.AfterFunc(pipeGrace, func() {
		r.stdout.Close()
		r.stderr.Close()
	})
}

// pipe is between the host and a process that it starts.
type pipe struct{ ours, theirs *os.File }

func newPipe(hostReads bool) (*pipe, error) {
	r, w, err := os.Pipe()
	if hostReads {
		return &pipe{ours: r, theirs: w}, err
	}
	return &pipe{ours: w, theirs: r}, err
}

func (p *pipe) close() {
	p.ours.Close()
	p.theirs.Close()
}

// ownEnd is how long a process that has closed its output may take to end by itself: what it ended with is worth knowing.
const ownEnd = 200 * time.Millisecond

// Kill ends the process and its group at once.
func (r *runner) Kill(context.Context) error {
	if r.handshake.ended() {
		select {
		case <-r.exited:
		case <-time.After(ownEnd):
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-r.exited:
		return nil
	default:
	}
	if r.pid != 0 && !r.killed && r.status != nil && !r.spec.Namespaces {
		// The wrapper has to see to what left the group. It is suspended where the plugin's group is.
		_ = r.cmd.Process.Signal(confine.End)
		wake(r.pid)
		time.AfterFunc(wrapperEnd, r.killNow)
	} else if r.pid != 0 {
		r.end()
	}
	r.killed = true
	return nil
}

// wrapperEnd is how long the wrapper may take to end the plugin.
const wrapperEnd = time.Second

func (r *runner) killNow() {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-r.exited:
	default:
		r.end()
	}
}

// end kills the process and its group. r.mu is held, and the process has not been seen to exit.
func (r *runner) end() {
	killGroup(r.pid)
	_ = r.cmd.Process.Kill()
}

// wasKilled says whether the host ended the process, which must have ended. One that exited just before the host would
// have killed it was not killed.
func (r *runner) wasKilled() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.killed && r.ended.killed
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

func (r *runner) Name() string                    { return r.exe.path }
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
	eof  bool
}

// handshakeLimit is far above the length of a handshake with its certificate, and below what go-plugin reads as a line.
const handshakeLimit = 32 << 10

func (f *firstLine) Read(b []byte) (int, error) {
	for {
		n, err := f.r.Read(b)
		f.mu.Lock()
		f.eof = f.eof || err == io.EOF
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

// ended says whether the output was closed.
func (f *firstLine) ended() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.eof
}

// text gives what was read as the handshake.
func (f *firstLine) text() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return string(bytes.TrimSpace(f.line))
}
