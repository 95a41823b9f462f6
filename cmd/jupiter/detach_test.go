package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"jupiter/runtime"
)

// detach starts a run that goes on by itself, and ends it with the test where the test does not.
func detach(t *testing.T, dir string) detached {
	t.Helper()
	var d detached
	if err := json.Unmarshal([]byte(output(t, jupiter(t, dir, "apply", "--detach", "--auto-approve", "--json"))), &d); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s := statusOfDir(t, dir); s.Lock != nil && s.Lock.PID == d.PID {
			_ = syscall.Kill(d.PID, syscall.SIGKILL)
			waitCut(t, dir)
		}
	})
	return d
}

// waitCut waits until nobody holds the state, and gives what attach says of the run that did.
func waitCut(t *testing.T, dir string) (int, string) {
	t.Helper()
	return ended(t, jupiter(t, dir, "attach"))
}

func statusOfDir(t *testing.T, dir string) (s status) {
	t.Helper()
	if err := json.Unmarshal([]byte(output(t, jupiter(t, dir, "status", "--json"))), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// ended runs a command to its end, and gives its exit status and all that it wrote.
func ended(t *testing.T, cmd *exec.Cmd) (int, string) {
	t.Helper()
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// attachTo is attach --json under way.
func attachTo(t *testing.T, dir string) *applying {
	t.Helper()
	a := &applying{t: t, cmd: jupiter(t, dir, "attach", "--json")}
	a.begin()
	return a
}

// TestDetach: the run has a session of its own, does not mind SIGHUP, can be watched and left, and who watches to the end
// has its exit status. Its log has what an apply off a terminal says.
func TestDetach(t *testing.T) {
	t.Parallel()
	dir := fakeProject(t, map[string]string{"delay_ms": "400", "save_every": "2"})
	d := detach(t, dir)
	first := attachTo(t, dir)
	first.until("progress", of(runtime.Progressed, "trainer.fake.student"))
	if sid, err := unix.Getsid(d.PID); err != nil || sid != d.PID {
		t.Errorf("the run's session is %d, %v; want its own, %d", sid, err, d.PID)
	}
	if err := syscall.Kill(d.PID, syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	s := statusOfDir(t, dir)
	if r := s.Run; r == nil || r.ID != d.Run || r.PID != d.PID || !r.Detached || r.Log == nil || *r.Log != d.Log || r.Outcome != "running" {
		t.Errorf("status of the run: %+v", s.Run)
	}
	if out := output(t, jupiter(t, dir, "status")); !strings.Contains(out, "It goes on by itself") || !strings.Contains(out, "jupiter attach") {
		t.Errorf("status:\n%s", out)
	}
	if code, out := ended(t, jupiter(t, dir, "apply", "--detach", "--auto-approve")); code != exitError || !strings.Contains(out, "is locked") {
		t.Errorf("a second run: exit status %d\n%s", code, out)
	}
	first.signal(os.Interrupt)
	if code, _ := first.end(); code != exitInterrupted || !strings.Contains(first.errs.String(), "The run goes on.") {
		t.Errorf("after Ctrl-C attach ends with %d:\n%s", code, &first.errs)
	}

	logs := make(chan string)
	go func() {
		out, err := jupiter(t, dir, "logs", "--follow").CombinedOutput()
		if err != nil {
			t.Errorf("logs --follow: %v", err)
		}
		logs <- string(out)
	}()
	second := attachTo(t, dir)
	if code, last := second.end(); code != exitDone || last.Outcome != runtime.OutcomeDone || last.Run != d.Run || last.Status != exitDone {
		t.Errorf("attach ends with %d, %+v\n%s", code, last, &second.errs)
	}
	out := <-logs
	for _, want := range []string{"Jupiter will perform these actions", "done     trainer.fake.student", "PROMOTE at step 20", "Run " + d.Run + " ended: done (exit status 0).", "Done: nothing is left to do."} {
		if !strings.Contains(out, want) {
			t.Errorf("the log does not say %q:\n%s", want, out)
		}
	}
	if code, out := ended(t, jupiter(t, dir, "attach", d.Run)); code != exitDone || !strings.Contains(out, "generator_v2 is now in use") {
		t.Errorf("attach after the end: exit status %d\n%s", code, out)
	}
	if code, out := ended(t, jupiter(t, dir, "apply", "--detach")); code != exitDone || !strings.Contains(out, "No changes.") {
		t.Errorf("with nothing to do: exit status %d\n%s", code, out)
	}
}

// TestDetachError: attach says what a run failed with, and so does its log.
func TestDetachError(t *testing.T) {
	t.Parallel()
	dir := fakeProject(t, nil)
	path := filepath.Join(dir, "main.jupiter.hcl")
	docFile(t, path, strings.Replace(string(loopRead(t, path)), `once             = "faulted"`, "fail_at = 12", 1))
	d := detach(t, dir)
	if code, out := ended(t, jupiter(t, dir, "attach")); code != exitError || !strings.Contains(out, "Error: ") || !strings.Contains(out, "fault on demand") {
		t.Errorf("attach: exit status %d\n%s", code, out)
	}
	if code, out := ended(t, jupiter(t, dir, "logs", d.Run, "--follow")); code != exitDone || !strings.Contains(out, "ended: failed (exit status 1).") || !strings.Contains(out, "fault on demand") {
		t.Errorf("logs: exit status %d\n%s", code, out)
	}
}

// TestDetachStatus: attach ends with the status of an apply that the guard has stopped, however late it comes.
func TestDetachStatus(t *testing.T) {
	t.Parallel()
	dir := fakeProject(t, map[string]string{"gain": "-0.01"})
	detach(t, dir)
	if code, out := ended(t, jupiter(t, dir, "attach")); code != exitHalted || !strings.Contains(out, "Halted by the collapse guard.") {
		t.Errorf("exit status %d\n%s", code, out)
	}
}

// TestDetachKilled: of a run that was killed, status says so, attach ends, and the next one goes on.
func TestDetachKilled(t *testing.T) {
	t.Parallel()
	dir := fakeProject(t, map[string]string{"delay_ms": "400", "save_every": "2"})
	d := detach(t, dir)
	a := attachTo(t, dir)
	a.until("a checkpoint", of(runtime.Saved, "trainer.fake.student"))
	if err := syscall.Kill(d.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if code, _ := a.end(); code != exitError || !strings.Contains(a.errs.String(), "was cut off") {
		t.Errorf("attach ends with %d:\n%s", code, &a.errs)
	}
	if out := output(t, jupiter(t, dir, "status")); !strings.Contains(out, ": killed\n") || !strings.Contains(out, "It was cut off") || !strings.Contains(out, "jupiter apply goes on from there") {
		t.Errorf("status:\n%s", out)
	}
	if out := output(t, jupiter(t, dir, "plan")); !strings.Contains(out, "steps (interrupted); steps 0 → 20 of 20") {
		t.Errorf("the plan does not go on:\n%s", out)
	}
	if out := output(t, jupiter(t, dir, "stop")); !strings.Contains(out, "Nothing is running.") {
		t.Errorf("stop: %s", out)
	}
	detach(t, dir)
	if code, out := ended(t, jupiter(t, dir, "attach")); code != exitDone {
		t.Errorf("the run that goes on ends with %d:\n%s", code, out)
	}
}

// TestDetachStop: stop does what Ctrl-C does; with --now it ends also what does not stop.
func TestDetachStop(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		vars map[string]string
		args []string
		plan string
	}{
		{"saves", map[string]string{"delay_ms": "400", "save_every": "2"}, []string{"stop"}, "(interrupted); steps 0 → 20 of 20"},
		{"at once", map[string]string{"hang_at": "15"}, []string{"stop", "--now"}, "continue after 10 steps (interrupted)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := fakeProject(t, c.vars)
			detach(t, dir)
			a := attachTo(t, dir)
			a.until("a checkpoint", of(runtime.Saved, "trainer.fake.student"))
			if out := output(t, jupiter(t, dir, c.args...)); !strings.Contains(out, "It has ended.") {
				t.Errorf("stop: %s", out)
			}
			if code, last := a.end(); code != exitInterrupted || last.Outcome != runtime.OutcomeInterrupted {
				t.Errorf("attach ends with %d, %+v\n%s", code, last, &a.errs)
			}
			if out := output(t, jupiter(t, dir, "plan")); !strings.Contains(out, c.plan) {
				t.Errorf("the plan does not go on:\n%s", out)
			}
		})
	}
}

// TestDetachFails: a run that does not begin is no run: what it said is shown, with its exit status.
func TestDetachFails(t *testing.T) {
	t.Parallel()
	dir := fakeProject(t, nil)
	cmd := jupiter(t, dir, "apply", "--detach", "--auto-approve")
	cmd.Env = append(cmd.Env, "JUPITER_TEST_KILL=tx.commit:1")
	if code, out := ended(t, cmd); code != exitError || !strings.Contains(out, "The run did not begin") {
		t.Errorf("exit status %d\n%s", code, out)
	}
	if left, err := os.ReadDir(logDir(dir + "/.jupiter")); err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
	if code, out := ended(t, jupiter(t, dir, "apply", "--as-run", "x", "--auto-approve")); code != exitError || !strings.Contains(out, "is for the program itself") {
		t.Errorf("--as-run by hand: exit status %d\n%s", code, out)
	}
}
