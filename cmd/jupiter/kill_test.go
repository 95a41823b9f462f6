package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"jupiter/runtime"
	"jupiter/state"
)

// killProject is a project that is killed, and what it comes to undisturbed.
type killProject struct {
	make   func(t *testing.T) string
	chains map[string][]string // name → steps of writing; see chain
	phases []string            // addresses; each is killed once that it has begun
	random int                 // kills at random

	want loopResult
	took time.Duration // of the undisturbed run

	mu   sync.Mutex
	hits map[string]int // what was hit: steps, and addresses in progress
	n    int
}

func (p *killProject) hit(what ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n++
	for _, w := range what {
		p.hits[w]++
	}
}

// TestKill kills applies with SIGKILL: at each step of writing that the state has, in each phase of a cycle, and at
// random moments. After each kill the state is sound and no plugin is left; and what the next applies come to is what an
// undisturbed one comes to, to the byte.
func TestKill(t *testing.T) {
	t.Parallel()
	fake := &killProject{
		make: func(t *testing.T) string {
			return loopFake(t, map[string]string{"max_steps": "40"}, "benchmark_samples        = 400", "benchmark_samples = 400\n keep_last_n_checkpoints = 1")
		},
		chains: map[string][]string{
			"transactions": {"tx.begin", "tx.commit", "tx.committed"},
			"artifacts":    {"artifact.temp", "artifact.fsync", "artifact.rename", "artifact.syncdir"},
			"rare":         {"state.create", "backup.rename", "symlink.temp", "symlink.rename", "artifact.remove", "symlink.rename", "symlink.temp", "artifact.remove", "symlink.rename"},
		},
		phases: []string{"domain.numbers.benchmark", "domain.numbers.source.fake.examples", "domain.numbers.real", "self_improvement.numbers.base",
			"domain.numbers.template.question", "self_improvement.numbers.verify", "self_improvement.numbers.pool", "self_improvement.numbers.mix",
			"trainer.fake.student", "trainer.fake.student.select", "trainer.fake.student.select.export", "trainer.fake.student.select.scores",
			"self_improvement.numbers.guard", "evaluator.fake.panel", "evaluator.fake.panel.gate", "self_improvement.numbers.promotion"},
		random: 24,
	}
	tiny := &killProject{
		make:   func(t *testing.T) string { return loopTiny(t) },
		chains: map[string][]string{},
		phases: []string{"trainer.llama.base[1]", "domain.quantities.template.example", "trainer.llama.student", "trainer.llama.student.select",
			"self_improvement.tiny.guard", "evaluator.panel.scores.gate", "self_improvement.tiny.promotion"},
		random: 6,
	}
	steps := state.Steps()
	if testing.Short() {
		t.Log("SHORT: transactions and five random moments of the fake project, and three phases of the tiny one")
		fake.chains, fake.phases, fake.random, steps = map[string][]string{"transactions": {"tx.commit"}}, nil, 5, []string{"tx.commit"}
		tiny.phases, tiny.random = tiny.phases[2:5], 0
	}
	t.Run("fake", func(t *testing.T) {
		t.Parallel()
		fake.test(t, steps)
	})
	t.Run("tiny", func(t *testing.T) {
		t.Parallel()
		tiny.test(t, nil)
	})
}

func (p *killProject) test(t *testing.T, steps []string) {
	p.hits = map[string]int{}
	dir := p.make(t)
	began := time.Now()
	loopApply(t, dir)
	p.took, p.want = time.Since(began), loopResultOf(t, dir)
	loopSound(t, dir, true)
	if v := loopVerdicts(t, dir); v != "PROMOTE PROMOTE" {
		t.Fatalf("the project decides %s: it no longer shows what it is for", v)
	}
	t.Run("kills", func(t *testing.T) {
		for _, name := range slices.Sorted(maps.Keys(p.chains)) {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				p.chain(t, p.chains[name])
			})
		}
		t.Run("phases", func(t *testing.T) {
			t.Parallel()
			p.inPhases(t)
		})
		t.Run("random", func(t *testing.T) {
			t.Parallel()
			p.atRandom(t)
		})
	})
	for _, s := range append(steps, p.phases...) {
		if p.hits[s] == 0 {
			t.Errorf("no kill hit %s", s)
		}
	}
	t.Logf("%d kills; hit were %v; undisturbed it took %v", p.n, p.hits, p.took)
}

// chain kills at each step in turn. Steps that occur often are killed at again and again, at later and later occurrences,
// until an apply comes to its end first. Each apply goes on from what the one before it left.
func (p *killProject) chain(t *testing.T, steps []string) {
	dir := p.make(t)
	often := len(steps) < 5
	for i := 0; often || i < len(steps); i++ {
		if i == 100 {
			t.Fatalf("still not done after %d kills", i)
		}
		step, n := steps[i%len(steps)], 1
		if often {
			n += i * 3 / 2 // the first of each apply make no progress
		}
		cmd := loopCommand(t, dir, "apply", "--auto-approve", "--json")
		cmd.Env = append(cmd.Env, fmt.Sprintf("JUPITER_TEST_KILL=%s:%d", step, n))
		if !p.killed(t, dir, cmd, killItself, step) {
			break
		}
	}
	loopApply(t, dir)
	p.end(t, dir, "after kills at "+strings.Join(steps, ", "))
}

// inPhases kills as soon as an action has begun, one phase after the other. A kill takes its time, and the apply may have
// gone past the next phase by then: that one is caught in the next cycle, or in another project.
func (p *killProject) inPhases(t *testing.T) {
	left, seen := p.phases, 0
	for try := 0; len(left) > 0; try++ {
		if try == 10 {
			t.Fatalf("no apply came to %v", left)
		}
		dir := p.make(t)
		for len(left) > 0 && p.killed(t, dir, loopCommand(t, dir, "apply", "--auto-approve", "--json"), killAt(func(e runtime.Event) bool {
			if e.Address != left[0] || e.Type != runtime.Started && e.Type != runtime.Decided {
				return false
			}
			seen = max(seen, len(killWorkingIn(t, dir)))
			return true
		}), left[0]) {
			left = left[1:]
		}
		loopApply(t, dir)
		p.end(t, dir, "after kills in each phase")
	}
	if seen < 2 && len(p.phases) > 0 {
		t.Error("no plugin was ever seen at work, so that none is left says nothing")
	}
}

// atRandom kills after random times.
func (p *killProject) atRandom(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 7))
	for killed := 0; killed < p.random; {
		dir := p.make(t)
		for killed < p.random {
			cmd := loopCommand(t, dir, "apply", "--auto-approve", "--json")
			if !p.killed(t, dir, cmd, killAfter(time.Duration(rng.Int64N(int64(p.took)*2/3)))) {
				break
			}
			killed++
		}
		loopApply(t, dir)
		p.end(t, dir, "after kills at random")
	}
}

// end compares with the undisturbed run.
func (p *killProject) end(t *testing.T, dir, what string) {
	t.Helper()
	loopSame(t, what, p.want, dir)
	loopSound(t, dir, true)
	if len(loopPlan(t, dir, exitDone)) != 0 {
		t.Errorf("%s: the plan is not empty", what)
	}
}

// killed runs an apply that is killed by start, or by itself. It says whether it was. After a kill
// the state is sound, and the plugins have gone.
func (p *killProject) killed(t *testing.T, dir string, cmd *exec.Cmd, start killStart, what ...string) bool {
	t.Helper()
	// Files, and no pipes: a plugin that outlives its host would hold a pipe open.
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	var errs bytes.Buffer
	cmd.Stderr, cmd.WaitDelay = &errs, 2*time.Second
	if err := start(cmd, out); err != nil {
		t.Fatal(err)
	}
	if err = cmd.Wait(); err == nil {
		return false
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the apply failed: %v\n%s", err, &errs)
	}
	for _, a := range killInProgress(t, loopRead(t, out.Name())) {
		if !slices.Contains(what, a) {
			what = append(what, a)
		}
	}
	p.hit(what...)
	loopSound(t, dir, false)
	if left := killLeft(t, dir, 10*time.Second); len(left) > 0 {
		t.Errorf("processes %v are left", left)
	}
	return true
}

// killStart starts an apply --json whose output goes to a file, and sees to it that it is killed.
type killStart func(cmd *exec.Cmd, out *os.File) error

// killItself leaves the killing to JUPITER_TEST_KILL.
func killItself(cmd *exec.Cmd, out *os.File) error {
	cmd.Stdout = out
	return cmd.Start()
}

// killAfter kills after a time, unless the apply has ended then.
func killAfter(d time.Duration) killStart {
	return func(cmd *exec.Cmd, out *os.File) error {
		cmd.Stdout = out
		if err := cmd.Start(); err != nil {
			return err
		}
		time.AfterFunc(d, func() { _ = cmd.Process.Kill() }) // of a process that was waited for it is an error, and no kill
		return nil
	}
}

// killAt kills at an event.
func killAt(at func(runtime.Event) bool) killStart {
	return func(cmd *exec.Cmd, out *os.File) error {
		pipe, err := cmd.StdoutPipe()
		if err != nil {
			return err
		}
		if err := cmd.Start(); err != nil {
			return err
		}
		lines := bufio.NewScanner(io.TeeReader(pipe, out))
		lines.Buffer(nil, 8<<20)
		for lines.Scan() {
			var e runtime.Event
			if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
				return errors.Join(err, cmd.Process.Kill())
			}
			if at(e) {
				return cmd.Process.Kill()
			}
		}
		return nil
	}
}

// killInProgress reads what apply --json wrote: the actions that had begun and not ended.
func killInProgress(t *testing.T, out string) []string {
	t.Helper()
	open := map[string]bool{}
	for line := range strings.Lines(out) {
		var e runtime.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			if strings.HasSuffix(line, "\n") {
				t.Errorf("a line that is no JSON: %s", line)
			}
			break // cut off by the kill
		}
		switch e.Type {
		case runtime.Started:
			open[e.Address] = true
		case runtime.Finished:
			delete(open, e.Address)
		}
	}
	return slices.Sorted(maps.Keys(open))
}

// killLeft lists the processes that work in a directory, after waiting for them to go.
func killLeft(t *testing.T, dir string, wait time.Duration) []int {
	t.Helper()
	deadline := time.NewTimer(wait)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		left := killWorkingIn(t, dir)
		if len(left) == 0 {
			return nil
		}
		select {
		case <-deadline.C:
			return left
		case <-tick.C:
		}
	}
}

func killWorkingIn(t *testing.T, dir string) []int {
	t.Helper()
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Skipf("NOT TESTED: this system has no /proc: %v", err)
	}
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if cwd, err := os.Readlink(filepath.Join("/proc", e.Name(), "cwd")); err == nil && (cwd == real || strings.HasPrefix(cwd, real+"/")) {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids
}
