package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"jupiter/runtime/guard"
)

var collapseFull = flag.Bool("collapse.full", false, "TestCollapse with the examples as they are, over seeds 1 to 4, and TestUnguarded: about an hour on two cores")

// TestCollapse: the guard stops both ways in which a model collapses that learns from its own samples, without the verifier
// and with it, and never the healthy loop. Where the gate would hold a student of the collapsing runs back, the harness
// promotes it, so that it is the guard that stops them.
func TestCollapse(t *testing.T) {
	t.Parallel()
	seeds := []int{1}
	if *collapseFull {
		seeds = []int{1, 2, 3, 4}
	}
	for _, tc := range []struct {
		name, example string
		args          []string
		halts         bool
	}{
		{"healthy", "quickstart", nil, false},
		{"no anchor, no filter", "ablation-no-anchor", nil, true},
		{"no anchor, filter", "ablation-no-anchor", []string{"--var", "verify=true"}, true},
	} {
		for _, seed := range seeds {
			t.Run(fmt.Sprintf("%s, seed %d", tc.name, seed), func(t *testing.T) {
				if !*collapseFull {
					t.Parallel()
				}
				root := t.TempDir()
				copyExample(t, root, tc.example)
				dir := filepath.Join(root, "examples", tc.example)
				if !*collapseFull {
					collapseReduce(t, dir)
				}
				args := append([]string{"--var", fmt.Sprintf("seed=%d", seed)}, tc.args...)
				cmd := collapseApply(t, dir, tc.halts, args)
				out, err := cmd.CombinedOutput()
				if code := cmd.ProcessState.ExitCode(); code != exitDone && code != exitHalted {
					t.Fatalf("%v\n%s", err, out)
				}
				halted := false
				var h history
				text, _ := loopOutput(t, dir, exitDone, append([]string{"history", "--json"}, args...)...)
				if err := json.Unmarshal([]byte(text), &h); err != nil {
					t.Fatal(err)
				}
				for _, c := range h.Cycles {
					guarded := strings.Contains(strings.Join(c.Reasons, "\n"), "the collapse guard halts")
					halted = halted || guarded
					if t.Logf("epoch %d: candidate %s, generator v%d %s: %s", c.Epoch, score(c.Challenger.Score), c.IncumbentVersion, score(c.Incumbent.Score), c.Decision); guarded {
						t.Logf("  %s", strings.Join(c.Reasons, "\n  "))
					}
				}
				if halted != tc.halts || halted != (cmd.ProcessState.ExitCode() == exitHalted) {
					t.Errorf("the guard stopped it: %t, want %t; exit status %d\n%s", halted, tc.halts, cmd.ProcessState.ExitCode(), out)
				}
				if len(h.Cycles) == 0 {
					t.Error("nothing was decided")
				}
			})
		}
	}
}

// TestUnguarded: what the guard stops is a collapse. With limits that nothing reaches, and each student promoted by the
// harness, the runs without anchor get worse from generation to generation: the first in what it generates, the second in
// how it takes real text.
func TestUnguarded(t *testing.T) {
	if !*collapseFull {
		t.Skip("eight cycles of real models: run make test-collapse")
	}
	for _, tc := range []struct {
		name  string
		args  []string
		worse func(first, last guard.Metrics) bool
	}{
		{"no filter", nil, func(first, last guard.Metrics) bool { return *last.PassRate < *first.PassRate/2 }},
		{"filter", []string{"--var", "verify=true"}, func(first, last guard.Metrics) bool { return *last.BitsPerByte > 1.5**first.BitsPerByte }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			root := t.TempDir()
			copyExample(t, root, "ablation-no-anchor")
			dir := filepath.Join(root, "examples", "ablation-no-anchor")
			name := "ablation_no_anchor.jupiter.hcl"
			text := loopRead(t, filepath.Join(dir, name))
			loopWrite(t, dir, name, loopEdit(t, text, "  verify = var.verify\n", "  verify = var.verify\n"+wideGuard))
			if out, err := collapseApply(t, dir, true, tc.args).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			var seen []guard.Metrics
			for _, d := range loopDecisions(t, dir) {
				var e struct{ Metrics guard.Metrics }
				if err := json.Unmarshal(d.Evidence, &e); err != nil {
					t.Fatal(err)
				}
				m := e.Metrics
				full, _ := m.Full()
				t.Logf("generation %d: score %s, accuracy %s, pass rate %.3f, held-out %.3f bits per byte, 4-gram entropy %.2f bit",
					d.Epoch, score(d.Challenger.Score), score(d.Challenger.Accuracy), *m.PassRate, *m.BitsPerByte, full.Entropy4)
				seen = append(seen, m)
			}
			if len(seen) != 4 || !tc.worse(seen[0], seen[3]) {
				t.Errorf("%d generations, and the last is not that much worse than the first", len(seen))
			}
		})
	}
}

// collapseApply is an apply whose students the harness promotes, where it is told to.
func collapseApply(t *testing.T, dir string, force bool, args []string) *exec.Cmd {
	t.Helper()
	cmd := loopCommand(t, dir, append([]string{"apply", "--auto-approve"}, args...)...)
	if force {
		cmd.Env = append(cmd.Env, "JUPITER_TEST_FORCE=1")
	}
	return cmd
}

// collapseReduce makes an example small enough for every day: a base with half the steps, and one window of the student.
func collapseReduce(t *testing.T, dir string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.hcl"))
	if err != nil || len(paths) != 1 {
		t.Fatalf("%v, %v", paths, err)
	}
	text := loopEdit(t, loopRead(t, paths[0]), "max_steps        = 3 * local.window\n  schedule_steps   = local.window", "max_steps = 2400\n  schedule_steps = 800",
		"max_steps        = 4 * local.window", "max_steps = local.window")
	loopWrite(t, dir, filepath.Base(paths[0]), text)
}
