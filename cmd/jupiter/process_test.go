package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jupiter/runtime"
)

// fakeProject makes a fake project in a new directory.
func fakeProject(t *testing.T, vars map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	all := map[string]string{"gain": "0.02", "max_steps": "20", "delay_ms": "0", "exit_at": "null", "hang_at": "null", "save_every": "10", "promotion": `"auto"`}
	maps.Copy(all, vars)
	if err := writeProject(dir, all); err != nil {
		t.Fatal(err)
	}
	return dir
}

// jupiter is a command of the program in a directory.
func jupiter(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("jupiter", args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "XDG_CACHE_HOME="+filepath.Join(dir, ".cache"))
	return cmd
}

// output runs a command that must succeed.
func output(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s%s", cmd.Args, err, out, &errs)
	}
	return string(out)
}

// applying is an apply --json under way.
type applying struct {
	t      *testing.T
	cmd    *exec.Cmd
	lines  *bufio.Scanner
	errs   bytes.Buffer
	events []runtime.Event
}

func startApply(t *testing.T, dir string) *applying {
	t.Helper()
	a := &applying{t: t, cmd: jupiter(t, dir, "apply", "--auto-approve", "--json")}
	a.begin()
	return a
}

// begin starts the command.
func (a *applying) begin() {
	a.t.Helper()
	a.cmd.Stderr = &a.errs
	out, err := a.cmd.StdoutPipe()
	if err != nil {
		a.t.Fatal(err)
	}
	if err := a.cmd.Start(); err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { _ = a.cmd.Process.Kill() })
	a.lines = bufio.NewScanner(out)
	a.lines.Buffer(nil, 8<<20)
}

// until reads events up to one that is wanted.
func (a *applying) until(what string, wanted func(runtime.Event) bool) {
	a.t.Helper()
	for a.lines.Scan() {
		var e runtime.Event
		if err := json.Unmarshal(a.lines.Bytes(), &e); err != nil {
			a.t.Fatalf("%s: %v", a.lines.Bytes(), err)
		}
		a.events = append(a.events, e)
		if wanted(e) {
			return
		}
	}
	a.t.Fatalf("the apply ended before %s:\n%s", what, &a.errs)
}

// end reads the rest and gives the exit status and the last line.
func (a *applying) end() (int, outcomeLine) {
	a.t.Helper()
	var last outcomeLine
	for a.lines.Scan() {
		if err := json.Unmarshal(a.lines.Bytes(), &last); err != nil {
			a.t.Fatalf("%s: %v", a.lines.Bytes(), err)
		}
	}
	err := a.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		a.t.Fatal(err)
	}
	return a.cmd.ProcessState.ExitCode(), last
}

func of(typ runtime.EventType, address string) func(runtime.Event) bool {
	return func(e runtime.Event) bool { return e.Type == typ && e.Address == address }
}

func (a *applying) signal(s os.Signal) {
	a.t.Helper()
	if err := a.cmd.Process.Signal(s); err != nil {
		a.t.Fatal(err)
	}
}

// TestInterrupt: beside an apply, status says what runs; the first signal saves it and exits with 130, and the next plan
// goes on from there.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	dir := fakeProject(t, map[string]string{"delay_ms": "400", "save_every": "2"})
	a := startApply(t, dir)
	a.until("a checkpoint", of(runtime.Saved, "trainer.fake.student"))

	var s status
	if err := json.Unmarshal([]byte(output(t, jupiter(t, dir, "status", "--json"))), &s); err != nil {
		t.Fatal(err)
	}
	if s.Lock == nil || s.Lock.PID != a.cmd.Process.Pid || s.Lock.Command != "jupiter apply" {
		t.Errorf("the lock's holder is %+v, want process %d", s.Lock, a.cmd.Process.Pid)
	}
	if s.Run == nil || s.Run.Outcome != "running" || len(s.Run.Running) != 1 || s.Run.Running[0].Address != "trainer.fake.student" || s.Run.Running[0].Done < 2 {
		t.Errorf("status of the run: %+v", s.Run)
	}
	second := jupiter(t, dir, "apply", "--auto-approve")
	if out, err := second.CombinedOutput(); err == nil || !strings.Contains(string(out), "is locked") {
		t.Errorf("a second apply: %v\n%s", err, out)
	}

	a.signal(os.Interrupt)
	if code, last := a.end(); code != exitInterrupted || last.Outcome != runtime.OutcomeInterrupted {
		t.Errorf("exit status %d, last line %+v\n%s", code, last, &a.errs)
	}
	if !strings.Contains(a.errs.String(), "Stopping") {
		t.Errorf("standard error does not say that it stops:\n%s", &a.errs)
	}
	if out := output(t, jupiter(t, dir, "plan")); !strings.Contains(out, "(interrupted); steps 0 → 20 of 20") {
		t.Errorf("the next plan does not go on:\n%s", out)
	}
	if out := output(t, jupiter(t, dir, "status")); !strings.Contains(out, "interrupted\n  saved    trainer.fake.student: ") {
		t.Errorf("status after the interruption:\n%s", out)
	}
}

// TestSecondInterrupt: a stage that does not stop is ended by the second signal, and not after the grace period.
func TestSecondInterrupt(t *testing.T) {
	t.Parallel()
	dir := fakeProject(t, map[string]string{"hang_at": "15"})
	a := startApply(t, dir)
	a.until("a checkpoint", of(runtime.Saved, "trainer.fake.student"))
	began := time.Now()
	a.signal(syscall.SIGTERM)
	a.signal(os.Interrupt) // the same, by oneSignal
	ended := make(chan struct{})
	var repeat sync.WaitGroup
	repeat.Go(func() {
		tick := time.NewTicker(oneSignal + oneSignal/10)
		defer tick.Stop()
		for {
			select {
			case <-ended:
				return
			case <-tick.C:
				_ = a.cmd.Process.Signal(os.Interrupt) // it may have ended
			}
		}
	})
	defer repeat.Wait()
	defer close(ended)
	if code, last := a.end(); code != exitInterrupted || last.Outcome != runtime.OutcomeInterrupted {
		t.Errorf("exit status %d, last line %+v\n%s", code, last, &a.errs)
	}
	if took := time.Since(began); took < oneSignal || took > 20*time.Second {
		t.Errorf("it took %v: the second signal did not end it, or the first one did", took)
	}
	if out := output(t, jupiter(t, dir, "plan")); !strings.Contains(out, "continue after 10 steps") {
		t.Errorf("the next plan does not go on:\n%s", out)
	}
}

// TestKilled: a process that is killed, again and again, comes to the same history as one that is not.
func TestKilled(t *testing.T) {
	t.Parallel()
	dir := fakeProject(t, nil)
	for _, at := range []string{"state.create:1", "artifact.rename:3", "tx.commit:12", "tx.committed:25", "artifact.temp:9", "symlink.temp:2"} {
		cmd := jupiter(t, dir, "apply", "--auto-approve")
		cmd.Env = append(cmd.Env, "JUPITER_TEST_KILL="+at)
		out, err := cmd.CombinedOutput()
		if err == nil || cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Errorf("%s: the apply ended by itself: %v\n%s", at, err, out)
		}
		var check stateCheck
		if err := json.Unmarshal([]byte(output(t, jupiter(t, dir, "state", "check", "--json"))), &check); err != nil {
			t.Fatal(err)
		}
		if !check.OK {
			t.Errorf("%s: %v", at, check.Violations)
		}
	}
	output(t, jupiter(t, dir, "apply", "--auto-approve"))
	if out := output(t, jupiter(t, dir, "state", "check", "--contents")); !strings.Contains(out, "Every invariant holds.") {
		t.Errorf("state check: %s", out)
	}
	quiet := fakeProject(t, nil)
	output(t, jupiter(t, quiet, "apply", "--auto-approve"))
	if diff := cmp.Diff(output(t, jupiter(t, quiet, "history", "--json")), output(t, jupiter(t, dir, "history", "--json"))); diff != "" {
		t.Errorf("history, undisturbed (-) and killed (+):\n%s", diff)
	}
}
