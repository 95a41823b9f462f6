package openai

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"jupiter/plugins/sdk"
)

// servers runs at most one server at a time: a model takes memory, and what answers next is seldom what answered last. A
// server that nothing is asked of is kept for a while.
//
// A server is a child of the plugin's process, in its group: it ends with it. On Linux it ends with the plugin's namespace or
// its wrapper whatever becomes of either; it writes below the plugin's directory alone.
type servers struct {
	now func() time.Time

	turn chan struct{} // holds a token while nobody starts or ends a server

	mu   sync.Mutex
	here *server // nil: there is none
	idle chan struct{}
}

func newServers(now func() time.Time) *servers {
	s := &servers{now: now, turn: make(chan struct{}, 1), idle: make(chan struct{})}
	s.turn <- struct{}{}
	return s
}

// A server is one that was started here.
type server struct {
	key     string // what it was started with
	address string
	cmd     *exec.Cmd
	words   *lastWords
	dir     string
	ended   chan struct{} // closed when it has ended

	users int // of servers.mu
	keep  time.Duration
	timer *time.Timer // ends it; nil: it is in use
}

// gone is how the server ended; nil: it runs.
func (s *server) gone() error {
	select {
	case <-s.ended:
		return fmt.Errorf("the server %s has ended (%s)%s", s.cmd.Path, s.cmd.ProcessState, s.words.said())
	default:
		return nil
	}
}

// get gives a server for a file, or for none, started if need be. One for something else is ended first, once nobody uses
// it.
func (s *servers) get(ctx context.Context, how serve, file string) (*server, error) {
	b, err := json.Marshal(how)
	if err != nil {
		return nil, err
	}
	key := string(b) + "\x00" + file
	for {
		select {
		case <-s.turn:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		s.mu.Lock()
		here, idle := s.here, s.idle
		if here != nil && here.key == key && here.gone() == nil {
			s.use(here)
			s.mu.Unlock()
			s.turn <- struct{}{}
			return here, nil
		}
		busy := here != nil && here.users > 0 && here.gone() == nil
		s.mu.Unlock()
		if busy {
			s.turn <- struct{}{}
			select {
			case <-idle:
				continue
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		if here != nil {
			here.end()
		}
		next, err := start(ctx, how, file)
		s.mu.Lock()
		s.here = next
		if next != nil {
			next.key = key
			s.use(next)
		}
		s.mu.Unlock()
		s.turn <- struct{}{}
		return next, err
	}
}

func (s *servers) use(x *server) {
	x.users++
	if x.timer != nil {
		x.timer.Stop()
		x.timer = nil
	}
}

// release says that a server is not used any more by who got it.
func (s *servers) release(x *server) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x.users--; x.users > 0 {
		return
	}
	close(s.idle)
	s.idle = make(chan struct{})
	x.timer = time.AfterFunc(x.keep, func() { s.drop(x) })
}

// drop ends a server that nobody uses.
func (s *servers) drop(x *server) {
	<-s.turn
	defer func() { s.turn <- struct{}{} }()
	s.mu.Lock()
	unused := x.users == 0
	if unused && s.here == x {
		s.here = nil
	}
	s.mu.Unlock()
	if unused {
		x.end()
	}
}

// close ends what there is.
func (s *servers) close() {
	<-s.turn
	defer func() { s.turn <- struct{}{} }()
	s.mu.Lock()
	here := s.here
	s.here = nil
	s.mu.Unlock()
	if here != nil {
		here.end()
	}
}

// endGrace is how long a server has to end when it is asked to.
const endGrace = 5 * time.Second

func (s *server) end() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it has ended, or it is killed below
	select {
	case <-s.ended:
	case <-time.After(endGrace):
		_ = s.cmd.Process.Kill()
		<-s.ended
	}
	_ = os.RemoveAll(s.dir) // what it leaves goes with the plugin's directory
}

// portTries is how often another free port is looked for: between finding one and the server's taking it somebody else may.
const portTries = 3

// start starts a server and waits until it can be asked.
func start(ctx context.Context, how serve, file string) (*server, error) {
	for try := 1; ; try++ {
		port, err := freePort(how.Port)
		if err != nil {
			return nil, err
		}
		s, err := launch(how, file, port)
		if err != nil {
			return nil, err
		}
		if err = s.ready(ctx, how); err == nil {
			return s, nil
		}
		taken := how.Port == 0 && s.gone() != nil && s.words.have("in use", "bind")
		s.end()
		if !taken || try == portTries {
			return nil, err
		}
	}
}

// freePort finds a port on the loopback interface, or says that the one that is wished for is taken.
func freePort(want uint16) (string, error) {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(want))))
	if err != nil {
		return "", fmt.Errorf("port %d, which serve.port names, cannot be had: %w. Without serve.port any that is free is taken", want, err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port), nil
}

func launch(how serve, file, port string) (*server, error) {
	path, err := exec.LookPath(how.Command)
	if err != nil {
		return nil, fmt.Errorf("the server cannot be started: %w. serve.command names a program on the PATH, or its path", err)
	}
	dir, err := os.MkdirTemp("", "serve-")
	if err != nil {
		return nil, err
	}
	fill := strings.NewReplacer("{model}", file, "{port}", port, "{dir}", dir)
	cmd := exec.Command(path)
	for _, a := range how.Args {
		cmd.Args = append(cmd.Args, fill.Replace(a))
	}
	for _, kv := range os.Environ() { // what is between the host and this process is no business of the server's
		if !strings.HasPrefix(kv, "JUPITER_") && !strings.HasPrefix(kv, "PLUGIN_") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(how.Env)) {
		cmd.Env = append(cmd.Env, name+"="+fill.Replace(how.Env[name]))
	}
	s := &server{cmd: cmd, dir: dir, words: &lastWords{}, address: "http://" + net.JoinHostPort("127.0.0.1", port), ended: make(chan struct{}), keep: seconds(how.IdleSeconds)}
	cmd.Stdout, cmd.Stderr = s.words, s.words
	cmd.WaitDelay = time.Second // what it has started may hold its pipes
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start the server %s: %w", path, err), os.RemoveAll(dir))
	}
	go func() {
		_ = cmd.Wait() // the state says it all
		close(s.ended)
	}()
	return s, nil
}

// ready waits until the server can be asked. What answers at the port is this server only as long as this server runs.
func (s *server) ready(ctx context.Context, how serve) error {
	client := newHTTP(1)
	defer client.CloseIdleConnections()
	limit := seconds(how.StartSeconds)
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("the server %s does not answer %s%s with status 200 within %s (serve.start_seconds)", s.cmd.Path, s.address, how.Ready, limit))
	defer cancel()
	last := ""
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 250*time.Millisecond) {
		status, err := look(ctx, client, s.address+how.Ready)
		if s.gone() != nil {
			return s.gone()
		}
		if status == http.StatusOK {
			return nil
		}
		if status != 0 {
			last = fmt.Sprintf("; it last answered with status %d", status)
		} else if err != nil && ctx.Err() == nil {
			last = "; " + clip(err.Error())
		}
		select {
		case <-time.After(pause):
		case <-s.ended:
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return sdk.Transient(fmt.Errorf("%w%s%s", context.Cause(ctx), last, s.words.said()))
			}
			return ctx.Err()
		}
	}
}

// lookWithin is how long a server may take to say whether it is ready.
const lookWithin = 5 * time.Second

func look(ctx context.Context, c *http.Client, address string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, err
	}
	resp, err := c.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxError)) // so that the connection can be used again
	return resp.StatusCode, nil
}

// lastWords keeps the end of what a program writes.
type lastWords struct {
	mu  sync.Mutex
	end []byte
}

const maxLastWords = 4 << 10

func (w *lastWords) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.end = append(w.end, b[max(0, len(b)-maxLastWords):]...)
	w.end = append([]byte(nil), w.end[max(0, len(w.end)-maxLastWords):]...)
	return len(b), nil
}

// said is the last lines, in words that follow others.
func (w *lastWords) said() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(string(w.end)), "\n")
	lines = lines[max(0, len(lines)-10):]
	for i := range lines {
		lines[i] = clip(lines[i])
	}
	if text := strings.Join(lines, "\n  "); text != "" {
		return "; its last words:\n  " + text
	}
	return "; it said nothing"
}

// have says whether one of some texts is in what was said.
func (w *lastWords) have(texts ...string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(texts, func(t string) bool { return strings.Contains(string(w.end), t) })
}
