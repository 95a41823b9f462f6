//go:build linux

package host

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"jupiter/plugins/proto/pluginv1"
)

// newHost makes a host whose plugins are this binary, and fails the test if a process of it outlives Close.
func newHost(t testing.TB, o Options, plugins ...string) *Host {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	o.Version = "test"
	if o.Env == nil {
		o.Env = os.Environ()
	}
	o.Plugins = map[string]Program{}
	for _, p := range plugins {
		o.Plugins[p] = Program{Path: exe, Args: []string{"plugin", p}}
	}
	h, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		procs := h.processes()
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		for _, p := range procs {
			if running(p.pid()) {
				t.Errorf("process %d of plugin %s is still there", p.pid(), p.name)
			}
		}
		if h.tmp != "" {
			if _, err := os.Stat(h.tmp); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s is still there", h.tmp)
			}
		}
	})
	return h
}

// ways are the two ways in which the host starts plugins: as they are, and confined by the wrapper.
func ways(t *testing.T, run func(t *testing.T, o Options)) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, wrapper := range map[string][]string{"as it is": nil, "confined": {exe, "confine"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, Options{Wrapper: wrapper})
		})
	}
}

// served is the plugin's own process: the last of a process's descendants, where the first is the wrapper.
func served(p *process) int {
	all := tree(p.pid())
	if len(p.runner.wrapper) > 0 && len(all) > 1 {
		return all[1]
	}
	return all[0]
}

// processState gives a process's state as the kernel names it: "R", "S", "T" for suspended, "Z" for a zombie. "": there
// is no such process.
func processState(pid int) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	return fields[0]
}

// running says whether a process exists and is not a zombie.
func running(pid int) bool {
	s := processState(pid)
	return s != "" && s != "Z" && s != "X"
}

// waitFor waits until something that another process does is done.
func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for range 2000 {
		if done() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("not within 20 s: %s", what)
}

// gone waits until a process does not run any more.
func gone(t *testing.T, pid int) {
	t.Helper()
	waitFor(t, fmt.Sprintf("process %d has ended", pid), func() bool { return !running(pid) })
}

// callDirs lets one call at a time empty the directory that all of a test's calls share.
var callDirs sync.Mutex

func collector(t testing.TB, h *Host, plugin, mode string, more ...string) *pluginv1.CollectRequest {
	t.Helper()
	callDirs.Lock()
	dir, err := h.CallDir(plugin, "call-1")
	callDirs.Unlock()
	if err != nil && !errors.Is(err, ErrStopped) {
		t.Fatal(err)
	}
	return &pluginv1.CollectRequest{Call: &pluginv1.Call{
		Stage: plugin, Id: "call-1", WorkDir: dir,
		Config: &pluginv1.Config{Json: []byte(fmt.Sprintf(`{"mode":%q%s}`, mode, strings.Join(more, "")))},
	}}
}

// collectAll runs a collector in a mode and gives the texts of its records.
func collectAll(t testing.TB, ctx context.Context, h *Host, mode string, more ...string) ([]string, error) {
	t.Helper()
	s, err := h.Stage(ctx, "collector", "good")
	if err != nil {
		return nil, err
	}
	stream, err := s.Collector().Collect(ctx, collector(t, h, "good", mode, more...))
	if err != nil {
		return nil, err
	}
	var texts []string
	for {
		e, err := stream.Recv()
		if err == io.EOF {
			return texts, nil
		}
		if err != nil {
			return texts, err
		}
		for _, r := range e.GetBatch().GetRecords() {
			texts = append(texts, r.Text)
		}
	}
}

func TestCallsShareOneProcess(t *testing.T) {
	t.Parallel()
	h := newHost(t, Options{}, "good")
	var pids []string
	for range 3 {
		got, err := collectAll(t, t.Context(), h, "pid")
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, got...)
	}
	if len(slices.Compact(pids)) != 1 {
		t.Errorf("processes %v, want one", pids)
	}
	if p := h.processes(); len(p) != 1 || pids[0] != strconv.Itoa(p[0].pid()) {
		t.Errorf("the host's processes are not the one that answered, %v", pids)
	}
}

func TestManyRecords(t *testing.T) {
	t.Parallel()
	h := newHost(t, Options{StallAfter: 20 * time.Second}, "good")
	got, err := collectAll(t, t.Context(), h, "records", `,"count":100000`)
	if err != nil || len(got) != 100000 {
		t.Fatalf("%d records, %v", len(got), err)
	}
	for i, s := range got {
		if s != strconv.Itoa(i) {
			t.Fatalf("record %d is %q", i, s)
		}
	}
}

func TestStageErrors(t *testing.T) {
	t.Parallel()
	h := newHost(t, Options{}, "good")
	for mode, want := range map[string]StageError{
		"error":   {Plugin: "good", Stage: "collector good", Code: "Unknown", Message: "the source is closed on Mondays"},
		"busy":    {Plugin: "good", Stage: "collector good", Code: "Aborted", Message: "ask the server: it is busy"},
		"panic":   {Plugin: "good", Stage: "collector good", Code: "Internal", Message: "panic at main_test.go:144: index of the moon"},
		"nothing": {Plugin: "good", Stage: "collector good", Code: "Unknown", Message: `no mode "nothing"`},
	} {
		_, err := collectAll(t, t.Context(), h, mode)
		var se *StageError
		if !errors.As(err, &se) || *se != want {
			t.Errorf("%s: %#v, want %#v", mode, err, want)
		}
	}
	_, err := collectAll(t, t.Context(), h, "records", `,"cuont":1`)
	if se := new(StageError); !errors.As(err, &se) || se.Code != "InvalidArgument" || !strings.Contains(se.Message, "cuont") {
		t.Errorf("unknown attribute: %v", err)
	}
	if n := len(h.processes()); n != 1 {
		t.Errorf("%d processes, want the one that returned the errors", n)
	}
	// The stack of the panic is on standard error.
	if all := strings.Join(h.processes()[0].tail.last(), "\n"); !strings.Contains(all, "index of the moon") || !strings.Contains(all, "goroutine") {
		t.Errorf("no stack in %s", all)
	}
}

func TestCrashes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		mode   string
		exit   int
		signal string
		oom    bool
		stderr string
		item   string
		text   string
	}{
		{mode: "exit", exit: 3, stderr: "about to leave", item: "after record 1", text: "plugin good 1.2.3 crashed (exit status 3) in collector good, Collect, after record 1\n"},
		{mode: "kill", exit: -1, signal: "killed", text: "plugin good 1.2.3 crashed (signal: killed) in collector good, Collect: neither the plugin nor Jupiter sent this signal"},
		{mode: "oom", exit: 2, oom: true, stderr: "out of memory", text: "plugin good 1.2.3 ran out of memory (exit status 2)"},
		{mode: "panic in goroutine", exit: 2, stderr: "panic: nobody recovers me", text: "crashed (exit status 2)"},
	}
	for _, tt := range tests {
		ways(t, func(t *testing.T, o Options) {
			h := newHost(t, o, "good")
			_, err := collectAll(t, t.Context(), h, tt.mode)
			var c *Crash
			if !errors.As(err, &c) {
				t.Fatalf("%T: %v, want a crash", err, err)
			}
			sum, _ := h.pools["good"].exe.checksum()
			if c.Plugin != "good" || c.Version != "1.2.3" || c.Checksum != hex.EncodeToString(sum) || c.Call != "call-1" || c.PID == 0 {
				t.Errorf("%+v does not say who", c)
			}
			if c.ExitCode != tt.exit || c.Signal != tt.signal || c.OOM != tt.oom || c.Stalled || c.Item != tt.item {
				t.Errorf("%+v, want %+v", c, tt)
			}
			if !strings.Contains(strings.Join(c.Stderr, "\n"), tt.stderr) {
				t.Errorf("standard error %q, want %q in it", c.Stderr, tt.stderr)
			}
			if !strings.Contains(c.Error(), tt.text) {
				t.Errorf("error %q, want %q in it", c.Error(), tt.text)
			}
			gone(t, c.PID)
			// The next use starts a fresh process.
			if _, err := collectAll(t, t.Context(), h, "pid"); err != nil || h.processes()[0].pid() == c.PID {
				t.Errorf("after the crash: process %d, %v", h.processes()[0].pid(), err)
			}
		})
	}
}

func TestStall(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"hang", "suspend"} {
		ways(t, func(t *testing.T, o Options) {
			o.StallAfter = time.Second
			h := newHost(t, o, "good")
			got, err := collectAll(t, t.Context(), h, mode)
			var c *Crash
			if !errors.As(err, &c) || !c.Stalled || c.OOM || len(got) != 1 {
				t.Fatalf("%v, %v, want a stall after one record", got, err)
			}
			if want := "plugin good 1.2.3 stalled in collector good, Collect, after record 1: no message for 1s"; !strings.HasPrefix(c.Error(), want) {
				t.Errorf("%q, want %q", c.Error(), want)
			}
			gone(t, c.PID)
		})
	}
}

func TestCrashNamesThePoison(t *testing.T) {
	t.Parallel()
	h := newHost(t, Options{}, "good")
	s, err := h.Stage(t.Context(), "generator", "good")
	if err != nil {
		t.Fatal(err)
	}
	stream, err := s.Generator().Complete(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	prompts := []*pluginv1.Prompt{{Id: "a", Text: "x"}, {Id: "b", Text: "poison"}, {Id: "c"}}
	if err := stream.Send(&pluginv1.CompleteRequest{Call: &pluginv1.Call{Stage: "good", Id: "c7"}, Prompts: prompts}); err != nil {
		t.Fatal(err)
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = stream.Recv()
	}
	// The answer to "a" may be lost with the process: then "a" is the first that has none.
	var c *Crash
	if !errors.As(err, &c) || c.Call != "c7" || c.Item != "prompt b (1 answered)" && c.Item != "prompt a (0 answered)" {
		t.Errorf("%v (%+v), want a crash at the prompt", err, c)
	}
}

func TestConcurrentCalls(t *testing.T) {
	t.Parallel()
	h := newHost(t, Options{}, "good")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if got, err := collectAll(t, t.Context(), h, "records", `,"count":100`); err != nil || len(got) != 100 {
				t.Errorf("%d records, %v", len(got), err)
			}
		})
	}
	wg.Wait()
	if n := len(h.processes()); n != 1 {
		t.Errorf("%d processes, want one: starts must not overlap", n)
	}
}

// A stage that is not Concurrent gets a process for each call that runs at the same time, up to a limit.
func TestExclusiveStage(t *testing.T) {
	t.Parallel()
	h := newHost(t, Options{}, "good")
	s, err := h.Stage(t.Context(), "exporter", "good")
	if err != nil {
		t.Fatal(err)
	}
	export := func(ctx context.Context, dir string) (pid string, end func() error, err error) {
		stream, err := s.Exporter().Export(ctx, &pluginv1.ExportRequest{Call: &pluginv1.Call{Stage: "good", WorkDir: dir}})
		if err != nil {
			return "", nil, err
		}
		e, err := stream.Recv()
		return e.GetOutput().GetPath(), func() error { _, err := stream.Recv(); return err }, err
	}
	release := func(dir string) {
		if err := os.WriteFile(dir+"/go", nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var dirs, pids []string
	var ends []func() error
	for range maxProcesses {
		dir := t.TempDir()
		pid, end, err := export(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(pids, pid) {
			t.Errorf("two calls at once in process %s", pid)
		}
		dirs, pids, ends = append(dirs, dir), append(pids, pid), append(ends, end)
	}
	impatient, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, err := export(impatient, t.TempDir()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("one call too many: %v, want that it waits", err)
	}
	patient := make(chan string)
	dir := t.TempDir()
	release(dir)
	go func() {
		pid, end, err := export(t.Context(), dir)
		if err == nil {
			err = end()
		}
		if err != io.EOF {
			t.Errorf("the call that waited: %v", err)
		}
		patient <- pid
	}()
	release(dirs[1])
	if err := ends[1](); err != io.EOF {
		t.Errorf("end of call: %v", err)
	}
	if pid := <-patient; pid != pids[1] {
		t.Errorf("the call that waited ran in process %s, want %s, which had become free", pid, pids[1])
	}
	for i, d := range dirs {
		if i != 1 {
			release(d)
			if err := ends[i](); err != io.EOF {
				t.Errorf("end of call: %v", err)
			}
		}
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	h := newHost(t, Options{}, "good")
	s, err := h.Stage(t.Context(), "collector", "good")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	req := collector(t, h, "good", "wait")
	stream, err := s.Collector().Collect(ctx, req)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	why := errors.New("the user has gone home")
	cancel(why)
	if _, err := stream.Recv(); !errors.Is(err, why) {
		t.Errorf("%v, want the cause of the cancellation", err)
	}
	for range 500 { // the stage sees the end of its context, and leaves a mark
		if _, err = os.Stat(req.Call.WorkDir + "/cancelled"); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err != nil {
		t.Errorf("the cancellation did not reach the stage: %v", err)
	}
	if _, err := collectAll(t, t.Context(), h, "pid"); err != nil {
		t.Errorf("after a cancellation: %v", err)
	}
}

func TestStop(t *testing.T) {
	t.Parallel()
	ways(t, testStop)
}

func testStop(t *testing.T, o Options) {
	o.StopGrace = 20 * time.Second
	h := newHost(t, o, "good")
	s, err := h.Stage(t.Context(), "collector", "good")
	if err != nil {
		t.Fatal(err)
	}
	stream, err := s.Collector().Collect(t.Context(), collector(t, h, "good", "wait"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		h.Stop(context.Background(), "test", 0)
	}()
	e, err := stream.Recv()
	if err != nil || string(e.GetBatch().GetCursor()) != "saved" {
		t.Errorf("%v, %v, want what the stage saved", e, err)
	}
	if _, err := stream.Recv(); err != io.EOF {
		t.Errorf("%v, want the end", err)
	}
	<-stopped
	if _, err := collectAll(t, t.Context(), h, "pid"); err != nil {
		t.Errorf("after a stop: %v", err)
	}
}

// begin starts a call in a mode and waits for its first record. In mode "suspend" it waits until the process is.
func begin(t *testing.T, h *Host, mode string) (pid int, recv func() (*pluginv1.CollectEvent, error)) {
	t.Helper()
	s, err := h.Stage(t.Context(), "collector", "good")
	if err != nil {
		t.Fatal(err)
	}
	stream, err := s.Collector().Collect(t.Context(), collector(t, h, "good", mode))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	pid = served(h.processes()[0])
	if mode == "suspend" {
		waitFor(t, "the plugin is suspended", func() bool { return processState(pid) == "T" })
	}
	return pid, stream.Recv
}

func TestStopKillsAfterGrace(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"hang", "suspend"} {
		ways(t, func(t *testing.T, o Options) {
			o.StopGrace = 100 * time.Millisecond
			h := newHost(t, o, "good")
			pid, recv := begin(t, h, mode)
			h.Stop(t.Context(), "test", 0)
			if _, err := recv(); !errors.Is(err, ErrStopped) {
				t.Errorf("%v, want ErrStopped", err)
			}
			gone(t, pid)
		})
	}
}

// Close ends processes that do not answer, too.
func TestCloseWithoutAnswer(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"hang", "suspend"} {
		ways(t, func(t *testing.T, o Options) {
			h := newHost(t, o, "good")
			pid, recv := begin(t, h, mode)
			closed := make(chan error, 1)
			go func() { closed <- h.Close() }()
			select {
			case err := <-closed:
				if err != nil {
					t.Error(err)
				}
			case <-time.After(20 * time.Second):
				_ = syscall.Kill(pid, syscall.SIGKILL)
				t.Fatal("Close waits for a process that cannot answer")
			}
			if running(pid) {
				t.Errorf("process %d is still there", pid)
			}
			if _, err := recv(); !errors.Is(err, ErrStopped) {
				t.Errorf("%v, want ErrStopped", err)
			}
		})
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	ways(t, testClose)
}

func testClose(t *testing.T, o Options) {
	h := newHost(t, o, "good")
	s, err := h.Stage(t.Context(), "collector", "good")
	if err != nil {
		t.Fatal(err)
	}
	stream, err := s.Collector().Collect(t.Context(), collector(t, h, "good", "child"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	all := tree(h.processes()[0].pid())
	child := all[len(all)-1]
	if len(all) < 2 || !running(child) {
		t.Fatalf("the plugin's child is not among %v", all)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	gone(t, child)
	if _, err := stream.Recv(); !errors.Is(err, ErrStopped) {
		t.Errorf("call in progress: %v, want ErrStopped", err)
	}
	if _, err := collectAll(t, t.Context(), h, "pid"); !errors.Is(err, ErrStopped) {
		t.Errorf("call after Close: %v, want ErrStopped", err)
	}
}

func TestRequestInParts(t *testing.T) {
	t.Parallel()
	h := newHost(t, Options{}, "good")
	s, err := h.Stage(t.Context(), "generator", "good")
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("p", 100<<10)
	set := &pluginv1.PromptSet{Template: "t", Samples: 100}
	for range 100 {
		set.Prompts = append(set.Prompts, &pluginv1.Prompt{Text: long})
	}
	stream, err := s.Generator().Generate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&pluginv1.GenerateRequest{Call: &pluginv1.Call{Stage: "good"}, Sets: []*pluginv1.PromptSet{set, {Template: "u"}}}); err != nil {
		t.Fatal(err)
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	events, err := readAll(stream.Recv)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range events {
		got = append(got, e.GetBatch().Records[0].Text)
	}
	if want := []string{"t 100", "u 0"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func readAll[E any](recv func() (E, error)) ([]E, error) {
	var all []E
	for {
		e, err := recv()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, e)
	}
}
