//go:build linux

package main

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"jupiter/runtime"
)

// The tests of rogue plugins that take too much: time, processes, memory.

// TestRogueBomb: a plugin that forks without end is ended with all that it started, is not tried again, and costs nothing that
// was paid for.
func TestRogueBomb(t *testing.T) {
	t.Parallel()
	const student = `trainer "rogue" "student" {`
	dir := rogueProject(t, student, student+"\n  limits {\n    processes = 300\n  }\n")
	out := rogueRun(t, dir, "trainer-bomb", exitError, "apply", "--auto-approve", "--cycles", "1")
	for _, want := range []string{"plugin rogue 6.6.6 started too many processes (signal: killed) in trainer rogue, Train, after ", "and limits.processes allows 300\n",
		"the next jupiter apply goes on from there", "limits { processes = N }", "the report: .jupiter/crashes/"} {
		if !strings.Contains(out, want) {
			t.Errorf("want %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, "it was tried") {
		t.Errorf("it was tried again:\n%s", out)
	}
	rogueGone(t, dir)
	rogueRun(t, dir, "", exitDone, "apply", "--auto-approve", "--cycles", "1")
}

// TestRogueStallsEach: each call that goes silent is noticed, is tried again, and can be interrupted meanwhile. What was made
// before stays: the faults come one after the other on the way through one cycle.
func TestRogueStallsEach(t *testing.T) {
	t.Parallel()
	var edits []string
	for _, begins := range []string{`filter "rogue" "all" {`, `generator "rogue" "base" {`, `exporter "rogue" "model" {`, `evaluator "rogue" "panel" {`} {
		edits = append(edits, begins, begins+"\n  timeouts {\n    stall = \"2s\"\n  }\n")
	}
	dir := rogueProject(t, edits...)
	for _, c := range [][2]string{
		{"questions-never", "evaluator rogue, Prepare"},
		{"generator-never", "generator rogue, Generate"},
		{"filter-never", "filter rogue, Filter"},
		{"exporter-never", "exporter rogue, Export"},
		{"completion-never", "generator rogue, Complete"},
		{"likelihood-never", "generator rogue, Score"},
		{"scores-never", "evaluator rogue, Score"},
	} {
		args := []string{"apply", "--auto-approve", "--json"}
		if target := rogueTarget(c[1]); target != "" {
			args = append(args, "--target", target)
		}
		a := &applying{t: t, cmd: rogueCommand(t, dir, c[0], args...)}
		a.begin()
		a.until(c[0], func(e runtime.Event) bool {
			said := strings.Contains(e.Message, "plugin rogue 6.6.6 stalled in "+c[1]) && strings.Contains(e.Message, "no message for 2s") && strings.Contains(e.Message, "the report: .jupiter/crashes/")
			return e.Type == runtime.Retried && said
		})
		a.signal(os.Interrupt)
		if code, last := a.end(); code != exitInterrupted || last.Outcome != runtime.OutcomeInterrupted {
			t.Errorf("%s: exit status %d, last line %+v\n%s", c[0], code, last, &a.errs)
		}
		loopSound(t, dir, false)
	}
	rogueRun(t, dir, "", exitDone, "apply", "--auto-approve", "--cycles", "1")
}

// TestRogueReports: each way in which a plugin fails leaves a report with all that is known, and an error that says where it is.
func TestRogueReports(t *testing.T) {
	t.Parallel()
	const student = `trainer "rogue" "student" {`
	dir := rogueProject(t, student, student+"\n  limits {\n    memory_gb = 0.4\n  }\n")
	for _, c := range []struct{ fault, kind, says, signal string }{
		{"trainer-crash", "crash", "plugin rogue 6.6.6 crashed (exit status 3) in trainer rogue, Train, after ", ""},
		{"trainer-kill", "crash", "plugin rogue 6.6.6 crashed (signal: killed) in trainer rogue, Train, after ", "killed"},
		{"trainer-hog", "out-of-memory", "plugin rogue 6.6.6 ran out of memory (signal: killed) in trainer rogue, Train, after ", "killed"},
		{"trainer-beyond", "protocol", "plugin rogue 6.6.6 breaks the protocol in trainer rogue, Train, after ", ""},
	} {
		out := rogueRun(t, dir, c.fault, exitError, "apply", "--auto-approve")
		for _, want := range []string{c.says, "its executable: sha256:", "the report: .jupiter/crashes/", "the next\njupiter apply goes on from there", "What was recorded before is kept"} {
			if !strings.Contains(out, want) && !strings.Contains(strings.ReplaceAll(out, "the next jupiter", "the next\njupiter"), want) {
				t.Errorf("%s: want %q in\n%s", c.fault, want, out)
			}
		}
		rep := rogueReport(t, dir)
		whole := rep.Run != "" && rep.Address == "trainer.rogue.student" && rep.Plugin == "rogue" && rep.Version == "6.6.6" && strings.HasPrefix(rep.Checksum, "sha256:") &&
			rep.Stage == "trainer rogue, Train" && strings.HasPrefix(rep.Item, "after ") && rep.Kind == c.kind && rep.Signal == c.signal
		if !whole || (rep.ExitCode == nil) != (c.kind == "protocol") {
			t.Errorf("%s: its report: %+v", c.fault, rep)
		}
		if c.fault == "trainer-crash" && (*rep.ExitCode != 3 || len(rep.Stderr) != 50 || rep.Stderr[49] != "last words 59") {
			t.Errorf("%s: its report: %+v", c.fault, rep)
		}
	}
	rogueRun(t, dir, "", exitDone, "apply", "--auto-approve", "--cycles", "1")
}

// TestRogueTiny: records that come without number, one by one, are taken in bounded memory.
func TestRogueTiny(t *testing.T) {
	t.Parallel()
	dir := rogueProject(t)
	cmd := rogueCommand(t, dir, "collector-tiny", "apply", "--auto-approve", "--target", "domain.numbers.source.rogue.examples")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !strings.Contains(string(out), "200300 records") {
		t.Errorf("want 200,000 records more than there are:\n%s", out)
	}
	if peak := peakOf(cmd); peak > 300<<10 {
		t.Errorf("it had %d MiB resident", peak>>10)
	}
	loopSound(t, dir, false)
}

// peakOf is the most memory that a process that has ended had resident, in KiB.
func peakOf(cmd *exec.Cmd) int64 { return cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss }

// TestRogueLinked: an output that has another name is taken as it was: what is written under that name later changes nothing.
func TestRogueLinked(t *testing.T) {
	t.Parallel()
	dir := rogueProject(t)
	rogueRun(t, dir, "trainer-linked", exitDone, "apply", "--auto-approve", "--cycles", "1")
	loopSound(t, dir, true)
}
