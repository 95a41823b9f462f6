//go:build linux

package host

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"jupiter/plugins/host/confine"
	"jupiter/plugins/sdk"
)

// collectConfined tries what a confined plugin may or may not do, and tells as records what came of it.
func collectConfined(ctx context.Context, c *sdk.Call, cfg modeConfig, emit func(*sdk.RecordBatch) error) error {
	tell := func(format string, args ...any) error {
		return emit(&sdk.RecordBatch{Records: []*sdk.Record{{Text: fmt.Sprintf(format, args...)}}})
	}
	switch cfg.Mode {
	case "write":
		for _, path := range []string{filepath.Join(c.WorkDir, "a"), filepath.Join(os.TempDir(), "b"), *cfg.Dir} {
			if err := tell("%v", os.WriteFile(path, []byte("x"), 0o644)); err != nil {
				return err
			}
		}
		outside := filepath.Dir(*cfg.Dir)
		for _, err := range []error{
			os.Mkdir(filepath.Join(outside, "new"), 0o755), os.Remove(filepath.Join(outside, "there")), os.Truncate(filepath.Join(outside, "there"), 0),
			os.Rename(filepath.Join(c.WorkDir, "a"), filepath.Join(outside, "moved")), os.Symlink("/", filepath.Join(outside, "link")),
		} {
			if err := tell("%v", err); err != nil {
				return err
			}
		}
		_, err := os.ReadFile(filepath.Join(outside, "there"))
		return tell("%v", err)
	case "dial":
		conn, err := net.DialTimeout("tcp", *cfg.Dir, 10*time.Second)
		if err == nil {
			conn.Close()
		}
		return tell("%v", err)
	case "processes":
		entries, err := os.ReadDir("/proc")
		if err != nil {
			return err
		}
		n := 0
		for _, e := range entries {
			if _, err := strconv.Atoi(e.Name()); err == nil {
				n++
			}
		}
		caps, err := os.ReadFile("/proc/self/status")
		if err != nil {
			return err
		}
		_, rest, _ := strings.Cut(string(caps), "CapEff:")
		eff, _, _ := strings.Cut(rest, "\n")
		return errors.Join(tell("%d", n), tell("%s", strings.TrimSpace(eff)))
	case "stray", "stray hang": // a child that has left the process group and the session
		cmd := exec.Command("sleep", "60")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := cmd.Start(); err != nil {
			return err
		}
		if err := tell("%d", cmd.Process.Pid); err != nil || cfg.Mode == "stray" {
			return err
		}
		select {}
	case "threads": // that stay, with the process or until it cannot have more
		if err := tell("started"); err != nil {
			return err
		}
		for range cfg.Count {
			go func() {
				runtime.LockOSThread()
				_ = unix.Pause()
			}()
		}
		<-ctx.Done()
		return ctx.Err()
	case "bomb": // processes that each start more, in sessions of their own, and in all no more than make for a test
		if err := tell("started"); err != nil {
			return err
		}
		const bomb = `n=$(($0 - 1)); if [ $n -gt 0 ]; then setsid sh -c "$1" $n "$1" & setsid sh -c "$1" $n "$1" & fi; exec sleep 60`
		cmd := exec.Command("sh", "-c", bomb, strconv.Itoa(cfg.Count), bomb)
		if err := cmd.Run(); err != nil {
			return err
		}
		<-ctx.Done()
		return ctx.Err()
	case "hog":
		if err := tell("started"); err != nil {
			return err
		}
		var all [][]byte
		for range 1000 {
			b := make([]byte, 8<<20)
			for i := range b {
				b[i] = byte(i)
			}
			all = append(all, b)
			time.Sleep(5 * time.Millisecond)
		}
		return tell("%d", len(all))
	}
	return nil
}

// confined makes a host that confines its plugins, and gives what this system lacks for it.
func confined(t *testing.T) (h *Host, missing []string) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	h = newHost(t, Options{Wrapper: []string{exe, "confine"}}, "good")
	if _, err := collectAll(t, t.Context(), h, "pid"); err != nil {
		t.Fatal(err)
	}
	return h, h.Unconfined()
}

// What a system lacks is known without a plugin, and is the same as with one.
func TestUnconfined(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	_, want := confined(t)
	if got := newHost(t, Options{Wrapper: []string{exe, "confine"}}, "good").Unconfined(); !slices.Equal(got, want) {
		t.Errorf("%q without a plugin, %q with one", got, want)
	}
	if got := newHost(t, Options{}, "good").Unconfined(); !lacks(got, "nothing that Jupiter could confine them with") {
		t.Errorf("%q without a wrapper", got)
	}
	if got := newHost(t, Options{Wrapper: []string{exe + ".missing"}}, "good").Unconfined(); !lacks(got, "does not start") {
		t.Errorf("%q with a wrapper that is not there", got)
	}
}

// A confined plugin writes to its own directories alone, and reads elsewhere.
func TestConfinedWrites(t *testing.T) {
	t.Parallel()
	h, missing := confined(t)
	if lacks(missing, "can write") {
		t.Skipf("NOT TESTED: this system cannot confine a plugin's writing: %v", missing)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "there"), []byte("whole"), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := collectAll(t, t.Context(), h, "write", fmt.Sprintf(`,"dir":%q`, filepath.Join(dir, "c")))
	if err != nil || len(got) != 9 {
		t.Fatalf("%v, %v", got, err)
	}
	for i, text := range got {
		if i < 2 || i == 8 {
			if text != "<nil>" {
				t.Errorf("try %d: %s, want that it may", i, text)
			}
		} else if !strings.HasSuffix(text, "permission denied") && !strings.HasSuffix(text, "cross-device link") {
			t.Errorf("try %d: %s, want that it may not", i, text)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("%v, %v, want what was there", left, err)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "there")); string(b) != "whole" {
		t.Errorf("%q, %v, want what was there", b, err)
	}
}

// Calls have their directories where SetWorkDir says, and a process that was started before may not write there.
func TestWorkDir(t *testing.T) {
	t.Parallel()
	h, _ := confined(t)
	work := filepath.Join(t.TempDir(), "work")
	before := h.processes()[0].pid()
	if err := h.SetWorkDir(work); err != nil {
		t.Fatal(err)
	}
	got, err := collectAll(t, t.Context(), h, "write", fmt.Sprintf(`,"dir":%q`, filepath.Join(t.TempDir(), "c")))
	if err != nil || got[0] != "<nil>" {
		t.Fatalf("%v, %v, want that the call writes to its directory", got, err)
	}
	if _, err := os.Stat(filepath.Join(work, "good", "call-1", "a")); err != nil {
		t.Error(err)
	}
	gone(t, before)
}

// A stage that needs no network reaches none; one that does gets a process of its own.
func TestConfinedNetwork(t *testing.T) {
	t.Parallel()
	h, missing := confined(t)
	if lacks(missing, "network") {
		t.Skipf("NOT TESTED: this system cannot keep a plugin from the network: %v", missing)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dir := fmt.Sprintf(`,"dir":%q`, l.Addr())
	if got, err := collectAll(t, t.Context(), h, "dial", dir); err != nil || !strings.Contains(got[0], "refused") && !strings.Contains(got[0], "unreachable") && !strings.Contains(got[0], "permission denied") {
		t.Errorf("without network: %v, %v", got, err)
	}
	if n := len(h.processes()); n != 1 {
		t.Errorf("%d processes, want one", n)
	}
	s, err := h.Stage(t.Context(), "collector", "good_online")
	if err != nil {
		t.Fatal(err)
	}
	req := collector(t, h, "good", "dial", dir)
	req.Call.Stage = "good_online"
	stream, err := s.Collector().Collect(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if e, err := stream.Recv(); err != nil || e.GetBatch().Records[0].Text != "<nil>" {
		t.Errorf("with network: %v, %v", e, err)
	}
	if n := len(h.processes()); n != 2 {
		t.Errorf("%d processes, want one a profile", n)
	}
}

// A confined plugin sees no process but its own, and has no capability; what it starts ends with it, wherever it hides.
func TestConfinedProcesses(t *testing.T) {
	t.Parallel()
	h, missing := confined(t)
	if !lacks(missing, "other processes") {
		if got, err := collectAll(t, t.Context(), h, "processes"); err != nil || got[0] != "2" || strings.Trim(got[1], "0") != "" {
			t.Errorf("%v, %v, want two processes, the wrapper and the plugin, and no capabilities", got, err)
		}
	}
	if got, err := collectAll(t, t.Context(), h, "stray"); err != nil || len(got) != 1 {
		t.Fatalf("%v, %v", got, err)
	}
	all := tree(h.processes()[0].pid())
	if len(all) != 3 {
		t.Fatalf("processes %v, want wrapper, plugin and stray", all)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	for _, pid := range all {
		gone(t, pid)
	}
}

// Where namespaces are refused the wrapper itself ends what a plugin leaves behind.
func TestWithoutNamespaces(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	h := newHost(t, Options{Wrapper: []string{exe, "confine"}}, "good")
	h.confined.refuse()
	if got, err := collectAll(t, t.Context(), h, "stray"); err != nil || len(got) != 1 {
		t.Fatalf("%v, %v", got, err)
	}
	all := tree(h.processes()[0].pid())
	if len(all) != 3 {
		t.Fatalf("processes %v, want wrapper, plugin and stray", all)
	}
	if m := h.Unconfined(); !lacks(m, "refuses user and PID namespaces") || !lacks(m, "network") {
		t.Errorf("%v does not say what is missing", m)
	}
	// The plugin dies; the wrapper sees to the rest.
	if err := syscall.Kill(all[1], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for _, pid := range all {
		gone(t, pid)
	}
}

// What has left a plugin's process group ends with it also where the host has to kill the plugin: with the namespace, or
// without one by the wrapper.
func TestKilledWithStray(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, namespaces := range []bool{true, false} {
		h := newHost(t, Options{Wrapper: []string{exe, "confine"}, StallAfter: 500 * time.Millisecond}, "good")
		if !namespaces {
			h.confined.refuse()
		}
		s, err := h.Stage(t.Context(), "collector", "good")
		if err != nil {
			t.Fatal(err)
		}
		stream, err := s.Collector().Collect(t.Context(), collector(t, h, "good", "stray hang"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Recv(); err != nil {
			t.Fatal(err)
		}
		all := tree(h.processes()[0].pid())
		if len(all) != 3 {
			t.Fatalf("processes %v, want wrapper, plugin and stray", all)
		}
		_, err = stream.Recv()
		var c *Crash
		if !errors.As(err, &c) || !c.Stalled || c.Signal != "killed" {
			t.Errorf("namespaces %v: %v, want that it stalled, and was killed", namespaces, err)
		}
		for _, pid := range all {
			gone(t, pid)
		}
	}
}

// A process that takes more memory than its stage may have is killed, and the report says so.
func TestMemoryLimit(t *testing.T) {
	t.Parallel()
	ways(t, func(t *testing.T, o Options) {
		h := newHost(t, o, "good")
		s, err := h.Stage(t.Context(), "collector", "good")
		if err != nil {
			t.Fatal(err)
		}
		stream, err := s.Limited(Limits{Memory: 300e6}).Collector().Collect(t.Context(), collector(t, h, "good", "hog"))
		if err != nil {
			t.Fatal(err)
		}
		for err == nil {
			_, err = stream.Recv()
		}
		var c *Crash
		if !errors.As(err, &c) || !c.OOM || !strings.Contains(c.Error(), "ran out of memory") || !strings.Contains(c.Error(), "memory_gb allows 0.30") {
			t.Errorf("%v, want that it took too much memory", err)
		}
	})
}

// A plugin that starts more than it may have is ended, with all of it, and the report says so. Where the kernel holds the
// number there are never many more.
func TestProcessesLimit(t *testing.T) {
	t.Parallel()
	ways(t, func(t *testing.T, o Options) {
		for mode, limit := range map[string]uint64{"threads": 0, "bomb": 300} {
			if mode == "bomb" && o.Wrapper == nil {
				continue // what leaves the process group remains
			}
			h := newHost(t, o, "good")
			s, err := h.Stage(t.Context(), "collector", "good")
			if err != nil {
				t.Fatal(err)
			}
			depth := `,"count":11` // 2047 processes
			if mode == "threads" {
				depth = `,"count":4400`
			}
			stream, err := s.Limited(Limits{Processes: limit}).Collector().Collect(t.Context(), collector(t, h, "good", mode, depth))
			if err != nil {
				t.Fatal(err)
			}
			var most uint64
			var all []int
			look := func() {
				for _, p := range h.processes() {
					most = max(most, threads(p.pid(), p.wrapped()))
					all = append(all, tree(p.pid())...)
				}
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				for err == nil {
					_, err = stream.Recv()
				}
			}()
			for looking := true; looking; {
				select {
				case <-done:
					looking = false
				case <-time.After(5 * time.Millisecond):
					look()
				}
			}
			limit = cmp.Or(limit, DefaultProcesses)
			var c *Crash
			if !errors.As(err, &c) || !c.Crowded || !c.Again() || !strings.Contains(err.Error(), "plugin good 1.2.3 started too many processes (") || !strings.Contains(err.Error(), fmt.Sprintf("limits.processes allows %d", limit)) {
				t.Errorf("%s: %v, want that it started too many", mode, err)
			}
			t.Logf("%s: at most %d of %d", mode, most, limit)
			if o.Wrapper != nil && !lacks(h.Unconfined(), "more processes than it may have") && most > kernelBound(limit)+reserved {
				t.Errorf("%s: it had %d processes and threads, and the kernel refuses more than %d", mode, most, kernelBound(limit))
			}
			if err := h.Close(); err != nil {
				t.Error(err)
			}
			waitFor(t, "all that it had started has ended", func() bool { return !slices.ContainsFunc(all, running) })
		}
	})
}

// reserved are process numbers that a small program does not come to, and a larger one may have besides its bound.
const reserved = 300

// A program that cannot be executed is an error that says why.
func TestCannotExecute(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"script": "#!/nowhere/python\n", "text": "hello\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"script": "its interpreter, or the loader that it names, is not there", "text": "it is no program for this machine"} {
		h, err := New(Options{Wrapper: []string{exe, "confine"}, Plugins: map[string]Program{name: {Path: filepath.Join(dir, name)}}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Stages(t.Context()); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "start plugin "+name) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
}

func lacks(missing []string, text string) bool {
	return slices.ContainsFunc(missing, func(m string) bool { return strings.Contains(m, text) })
}

// The wrapper explains itself to who starts it by hand.
func TestWrapperByHand(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"x", "y"}, {"not JSON"}} {
		if code, err := confine.Main(args); code == 0 || err == nil || !strings.Contains(err.Error(), "for the plugin host alone") {
			t.Errorf("%q: %d, %v", args, code, err)
		}
	}
}
