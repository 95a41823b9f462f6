package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var collapseFull = flag.Bool("collapse.full", false, "TestCollapse with the examples as they are, over seeds 1 to 4: about an hour on two cores")

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
				cmd := exec.Command("jupiter", append([]string{"apply", "--auto-approve"}, args...)...)
				cmd.Dir = dir
				if cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+filepath.Join(root, "cache")); tc.halts {
					cmd.Env = append(cmd.Env, "JUPITER_TEST_FORCE=1")
				}
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

// collapseReduce makes an example small enough for every day: half the steps a window, two cycles.
func collapseReduce(t *testing.T, dir string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.hcl"))
	if err != nil || len(paths) != 1 {
		t.Fatalf("%v, %v", paths, err)
	}
	text := loopEdit(t, loopRead(t, paths[0]), "window = 1600", "window = 800", "max_steps        = 4 * local.window", "max_steps = 2 * local.window")
	loopWrite(t, dir, filepath.Base(paths[0]), text)
}
