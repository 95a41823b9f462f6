package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jupiter/plan/addr"
	"jupiter/plugins/sdk"
	"jupiter/state"
)

const numbers = addr.Address("self_improvement.numbers")

// TestPromotions: two promotions to the end of the steps; then there is nothing to do, and nothing is done.
func TestPromotions(t *testing.T) {
	t.Parallel()
	dir := loopFake(t, map[string]string{"max_steps": "40"})
	loopApply(t, dir)
	if v := loopVerdicts(t, dir); v != "PROMOTE PROMOTE" {
		t.Fatalf("decisions %s", v)
	}
	if ops := loopPlan(t, dir, exitDone); len(ops) != 0 {
		t.Errorf("the plan is not empty: %v", ops)
	}
	loopRun(t, dir, exitDone, "plan", "--detailed-exitcode")
	before := loopRead(t, filepath.Join(dir, ".jupiter", "state.db"))
	loopApply(t, dir)
	if loopRead(t, filepath.Join(dir, ".jupiter", "state.db")) != before {
		t.Error("an apply with nothing to do writes to the state")
	}
	loopView(t, dir, func(tx *state.Tx) error { return promotedIsEvaluated(t, tx, numbers) })
}

// promotedIsEvaluated: what answered the questions of the gate is what is in use, by digest.
func promotedIsEvaluated(t *testing.T, tx *state.Tx, cycle addr.Address) error {
	t.Helper()
	generators, err := tx.Generators(cycle)
	if err != nil {
		return err
	}
	looks, err := tx.Looks(cycle)
	if err != nil {
		return err
	}
	for _, g := range generators[1:] {
		d, _, err := tx.Decision(cycle, g.Epoch)
		if err != nil {
			return err
		}
		evaluation, _, err := tx.Action(looks[*d.Look-1].Evaluation)
		if err != nil {
			return err
		}
		if in := evaluation.Parts["input.challenger"]; in == "" || in != g.Digest || d.Model != g.Digest || d.Checkpoint != g.Checkpoint {
			t.Errorf("generator v%d is %s, and what was evaluated is %s", g.Version, g.Digest, in)
		}
	}
	if len(generators) < 2 {
		t.Error("nothing was promoted")
	}
	return nil
}

// lax switches the guard's measures off that a worse student would set off.
const lax = `compression = { warn = 5, halt = 9 }
    nll          = { warn = 50, halt = 90 }
    pass_rate    = { warn = 0.98, halt = 0.99 }
    entropy      = { warn = 50, halt = 90 }
    distinct4    = { warn = 0.98, halt = 0.99 }
    duplicates   = { warn = 0.98, halt = 0.99 }
    family_share = { warn = 0.002, halt = 0.001 }`

// TestVerdicts: how a cycle's decisions and its end follow from how good the student is and from the configuration.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	const benchmark = "benchmark_samples        = 400"
	for _, tc := range []struct {
		name, gain, steps string
		edits             []string
		status            int
		verdicts, outcome string
	}{
		{"hold", "0.01", "20", nil, exitDone, "HOLD", "max_steps = 20 reached"},
		{"worse", "-0.02", "20", []string{"compression = { warn = 5, halt = 9 }", lax}, exitDone, "HOLD", "max_steps = 20 reached"},
		{"halt", "-0.01", "60", nil, exitHalted, "REJECT", "halted"},
		{"generates worse", "0.02", "20", []string{"quality = 0.5", "quality = 0.5\n raw_cost = 2", "compression = { warn = 5, halt = 9 }", lax}, exitDone, "REJECT", "max_steps = 20 reached"},
		{"patience", "0", "100", []string{benchmark, benchmark + "\n patience = 2", "compression = { warn = 5, halt = 9 }", lax}, exitDone, "HOLD HOLD", "patience = 2"},
		{"max_cycles", "0.02", "100", []string{benchmark, benchmark + "\n max_cycles = 1"}, exitDone, "PROMOTE", "max_cycles = 1 reached"},
		{"before min_steps", "0.02", "40", []string{"min_steps_before_replace = 20", "min_steps_before_replace = 40"}, exitDone, "HOLD PROMOTE", "max_steps = 40"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := loopFake(t, map[string]string{"gain": tc.gain, "max_steps": tc.steps}, tc.edits...)
			out := loopRun(t, dir, tc.status, "apply", "--auto-approve")
			if v := loopVerdicts(t, dir); v != tc.verdicts || !strings.Contains(out, tc.outcome) {
				t.Errorf("decisions %s, want %s; the output says %q: %t", v, tc.verdicts, tc.outcome, strings.Contains(out, tc.outcome))
			}
			if out := loopRun(t, dir, tc.status, "plan"); !strings.Contains(out, tc.outcome) {
				t.Errorf("the plan does not say %q:\n%s", tc.outcome, out)
			}
			loopSound(t, dir, false)
			if tc.status != exitHalted {
				return
			}
			loopRun(t, dir, exitHalted, "apply", "--auto-approve")
			loopRun(t, dir, exitDone, "resume", "--ack", "a known dip")
			if ops := loopPlan(t, dir, exitDone); ops["trainer.fake.student"] == "" {
				t.Errorf("a cycle that was released trains no further: %v", ops)
			}
			loopRun(t, dir, exitHalted, "apply", "--auto-approve")
			if v := loopVerdicts(t, dir); v != "REJECT REJECT" {
				t.Errorf("decisions after the release: %s", v)
			}
		})
	}
}

// TestUnscored: an answer without any score is never taken for a bad one. A selection that meets one stops and says so.
func TestUnscored(t *testing.T) {
	t.Parallel()
	dir := loopFake(t, nil, `evaluator "fake" "panel" {}`, "evaluator \"fake\" \"panel\" {\n quality = 0.9\n}")
	if out := loopRun(t, dir, exitError, "apply", "--auto-approve"); !strings.Contains(out, `could not be scored on split "validation"`) {
		t.Errorf("apply says:\n%s", out)
	}
	loopChange(t, dir, "select {\n    split = \"validation\"\n  }", "")
	loopApply(t, dir)
	if v := loopVerdicts(t, dir); v != "HOLD" {
		t.Errorf("decisions %s", v)
	}
	if out := loopRun(t, dir, exitDone, "history"); !strings.Contains(out, "missing") {
		t.Errorf("history says:\n%s", out)
	}
}

// TestManual: a promotion that waits is made or turned down by a person, and what was approved is what was evaluated.
func TestManual(t *testing.T) {
	t.Parallel()
	for _, approve := range []bool{true, false} {
		t.Run(fmt.Sprint(approve), func(t *testing.T) {
			t.Parallel()
			dir := loopFake(t, map[string]string{"max_steps": "40", "promotion": `"manual"`})
			loopApply(t, dir)
			if ops := loopPlan(t, dir, exitDone); len(ops) != 0 || loopVerdicts(t, dir) != "PROMOTE" {
				t.Fatalf("decisions %s, plan %v", loopVerdicts(t, dir), ops)
			}
			args, version := []string{"reject", "--reason", "no"}, uint64(1)
			if approve {
				args, version = []string{"approve"}, 2
			}
			loopRun(t, dir, exitDone, args...)
			loopView(t, dir, func(tx *state.Tx) error {
				if approve {
					if err := promotedIsEvaluated(t, tx, numbers); err != nil {
						return err
					}
				}
				now, _, err := tx.Current(numbers)
				if now != version {
					t.Errorf("generator v%d is in use, want v%d", now, version)
				}
				return err
			})
			ops := loopPlan(t, dir, exitDone)
			if generates := ops["domain.numbers.template.question"] != ""; generates != approve || ops["trainer.fake.student"] == "" {
				t.Errorf("the next plan: %v", ops)
			}
			loopApply(t, dir)
			if v := loopVerdicts(t, dir); v != "PROMOTE PROMOTE" {
				t.Errorf("decisions %s", v)
			}
			loopSound(t, dir, true)
		})
	}
}

// TestRollback: what is in use, what the student goes on from, and whose samples are in the pool, after each kind of
// rollback from v3.
func TestRollback(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name      string
		args      []string
		current   uint64
		withdrawn []uint64
		start     func([]state.Decision) string
	}{
		{"one", nil, 2, []uint64{3}, func(d []state.Decision) string { return d[1].StartCheckpoint }},
		{"to", []string{"--to", "1"}, 1, []uint64{2, 3}, func([]state.Decision) string { return "" }},
		{"keep", []string{"--to", "1", "--keep-student"}, 1, []uint64{2, 3}, func(d []state.Decision) string { return d[1].Checkpoint }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			// The base makes other samples than its successors, so each generation adds to the pool.
			dir := loopFake(t, map[string]string{"max_steps": "60"}, "eval_every_steps         = 20", "eval_every_steps = 20\n regenerate = \"cycle\"")
			loopApply(t, dir, "--cycles", "2")
			was := loopDecisions(t, dir)
			if len(was) != 2 || was[1].Promoted != 3 {
				t.Fatalf("decisions %s", loopVerdicts(t, dir))
			}
			loopRun(t, dir, exitDone, append([]string{"rollback", "--reason", "why not"}, tc.args...)...)
			loopSound(t, dir, true)
			if ops := loopPlan(t, dir, exitDone); ops["domain.numbers.template.question"] == "" || ops["trainer.fake.student"] == "" {
				t.Errorf("the next plan: %v", ops)
			}
			loopApply(t, dir)
			loopView(t, dir, func(tx *state.Tx) error {
				generators, err := tx.Generators(numbers)
				if err != nil {
					return err
				}
				var withdrawn []uint64
				for _, g := range generators {
					if g.Withdrawn {
						withdrawn = append(withdrawn, g.Version)
					}
				}
				d, _, err := tx.Decision(numbers, 3)
				if err != nil {
					return err
				}
				if !slices.Equal(withdrawn, tc.withdrawn) || d.IncumbentVersion != tc.current || d.StartCheckpoint != tc.start(was) {
					t.Errorf("withdrawn %v, incumbent v%d, start %q; want %v, v%d, %q", withdrawn, d.IncumbentVersion, d.StartCheckpoint, tc.withdrawn, tc.current, tc.start(was))
				}
				if d.Promoted != 0 && d.Promoted != 4 {
					t.Errorf("the promotion after made v%d: a number was used twice", d.Promoted)
				}
				train, _, err := tx.Action(d.Inputs["train"])
				if err != nil {
					return err
				}
				if train.Parts["input.start"] != tc.start(was) {
					t.Errorf("the student went on from %q, want %q", train.Parts["input.start"], tc.start(was))
				}
				return nil
			})
			d := loopDecisions(t, dir)[2]
			versions := loopPool(t, dir, d.Inputs["pool"])
			for _, v := range tc.withdrawn {
				if versions[v] > 0 {
					t.Errorf("the pool has %d samples of v%d, which was withdrawn", versions[v], v)
				}
			}
			if versions[tc.current] == 0 {
				t.Errorf("the pool has no samples of v%d: %v", tc.current, versions)
			}
		})
	}
}

// loopPool counts a pool's samples by the generator version that made them.
func loopPool(t *testing.T, dir, digest string) map[uint64]int {
	t.Helper()
	path, err := loopState(t, dir).Artifacts().Path(digest)
	if err != nil {
		t.Fatal(err)
	}
	r, err := sdk.OpenRecords(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	counts := map[uint64]int{}
	for {
		rec, err := r.Next()
		if err != nil {
			return counts
		}
		counts[rec.GeneratorVersion]++
	}
}

// TestRollbackAtTheEnd: with no steps left a rollback leaves nothing to do, and the plan says what would have to be raised.
func TestRollbackAtTheEnd(t *testing.T) {
	t.Parallel()
	dir := loopFake(t, nil)
	loopApply(t, dir)
	loopRun(t, dir, exitDone, "rollback")
	out := loopRun(t, dir, exitDone, "plan")
	if !strings.Contains(out, "generator_v1 is in use again") || !strings.Contains(out, "raise max_steps of trainer.fake.student to 40") {
		t.Errorf("the plan:\n%s", out)
	}
	loopApply(t, dir)
	loopWrite(t, dir, "variables.jupiter.hcl", strings.Replace(loopRead(t, filepath.Join(dir, "variables.jupiter.hcl")), "default = 20", "default = 40", 1))
	if ops := loopPlan(t, dir, exitDone); ops["trainer.fake.student"] == "" {
		t.Errorf("with more steps the plan is %v", ops)
	}
}

// TestRetention: the checkpoints and models that are kept are those of the last windows, and all of the rest is gone from
// the state and from the disk. The base stays.
func TestRetention(t *testing.T) {
	t.Parallel()
	const benchmark = "benchmark_samples        = 400"
	for keep, promoted := range map[int]bool{1: false, 2: false, 3: true} {
		t.Run(fmt.Sprint(keep), func(t *testing.T) {
			t.Parallel()
			gain := "0.0001" // never enough
			if promoted {
				gain = "0.008"
			}
			dir := loopFake(t, map[string]string{"gain": gain, "max_steps": "100"}, benchmark, fmt.Sprintf("%s\n keep_last_n_checkpoints = %d", benchmark, keep),
				"compression = { warn = 5, halt = 9 }", lax)
			loopApply(t, dir)
			ds := loopDecisions(t, dir)
			if len(ds) != 5 || slices.ContainsFunc(ds, func(d state.Decision) bool { return d.Promoted > 0 }) != promoted {
				t.Fatalf("decisions %s", loopVerdicts(t, dir))
			}
			want := map[string]bool{}
			for i, d := range ds {
				if d.Promoted > 0 && d.StartCheckpoint != "" { // what a rollback would go back to
					want[d.StartCheckpoint] = true
				}
				if d.Promoted > 0 || i >= len(ds)-keep {
					want[d.Checkpoint], want[d.Model] = true, true
				}
			}
			want[ds[0].Model] = true // what the guard compares with
			var base string
			got := map[string]bool{}
			loopView(t, dir, func(tx *state.Tx) error {
				for a, err := range tx.Artifacts() {
					if err != nil {
						return err
					}
					if a.MediaType == sdk.CheckpointMediaType || strings.Contains(a.MediaType, "fake-model") || a.MediaType == "application/vnd.jupiter.model" {
						got[a.Digest] = true
					}
				}
				g, _, err := tx.Generator(numbers, 1)
				base = g.Digest
				return err
			})
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("kept (-want +got):\n%s", d)
			}
			stored, err := loopState(t, dir).Artifacts().Digests()
			if err != nil {
				t.Fatal(err)
			}
			loopView(t, dir, func(tx *state.Tx) error {
				for _, d := range stored {
					if _, ok, err := tx.Artifact(d); !ok || err != nil {
						t.Errorf("%s is stored and not recorded: %v", d, err)
					}
				}
				return nil
			})
			if !slices.Contains(stored, base) {
				t.Error("the base generator is gone")
			}
			loopSound(t, dir, true)
		})
	}
}

// TestTwin: the tiny project in YAML has the same action IDs and comes to the same bytes; and so does a second run.
func TestTwin(t *testing.T) {
	t.Parallel()
	hcl := loopTiny(t)
	loopApply(t, hcl)
	yaml := t.TempDir()
	loopSplits(t, yaml, 60)
	loopWrite(t, yaml, "twin.jupiter.yaml", loopRead(t, "testdata/loop/twin.jupiter.yaml"))
	loopApply(t, yaml)
	loopSame(t, "the YAML twin", loopResultOf(t, hcl), yaml)
	loopView(t, hcl, func(tx *state.Tx) error { return promotedIsEvaluated(t, tx, "self_improvement.tiny") })
}

// TestNoLearning: a student that learns nothing is never promoted: one whose learning rate is next to nothing, and one
// whose examples have each other's answers.
func TestNoLearning(t *testing.T) {
	t.Parallel()
	t.Run("learning rate", func(t *testing.T) {
		t.Parallel()
		dir := loopTiny(t, "ffn              = 96\n  learning_rate    = 0.01", "ffn              = 96\n  learning_rate    = 0")
		neverPromotes(t, dir)
	})
	t.Run("shuffled answers", func(t *testing.T) {
		t.Parallel()
		// The base has learned all that such examples have to give, which is what an answer looks like.
		dir := loopTiny(t, "dim              = 16", "dim = 32", "ffn              = 48", "ffn = 96", "max_steps        = 40\n", "max_steps = 600\n",
			"learning_rate    = 0.002", "learning_rate = 0.01")
		shuffleAnswers(t, filepath.Join(dir, "real.jsonl"))
		neverPromotes(t, dir)
	})
}

func neverPromotes(t *testing.T, dir string) {
	t.Helper()
	cmd := loopCommand(t, dir, "apply", "--auto-approve")
	out, err := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != exitDone && code != exitHalted {
		t.Fatalf("%v\n%s", err, out)
	}
	ds := loopDecisions(t, dir)
	if len(ds) == 0 {
		t.Fatalf("nothing was decided:\n%s", out)
	}
	for _, d := range ds {
		if d.Verdict == state.Promote || d.Promoted > 0 {
			t.Errorf("epoch %d: %s, candidate %+v, incumbent %+v", d.Epoch, d.Verdict, d.Challenger, d.Incumbent)
		}
	}
}

// shuffleAnswers gives each question of a file another one's answer.
func shuffleAnswers(t *testing.T, path string) {
	t.Helper()
	type example struct {
		Prompt string `json:"prompt"`
		Text   string `json:"text"`
	}
	var all []example
	for line := range strings.Lines(loopRead(t, path)) {
		var e example
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	texts := make([]string, len(all))
	for i, j := range rand.New(rand.NewPCG(3, 4)).Perm(len(all)) {
		texts[i] = all[j].Text
	}
	var out strings.Builder
	for i, e := range all {
		b, err := json.Marshal(example{e.Prompt, texts[i]})
		if err != nil {
			t.Fatal(err)
		}
		out.Write(append(b, '\n'))
	}
	loopWrite(t, filepath.Dir(path), filepath.Base(path), out.String())
}

// TestTwoCycles: two cycles over one domain come to their ends one beside the other, each with its own generators. They
// share the domain's records, and neither disturbs what the other would have come to alone.
func TestTwoCycles(t *testing.T) {
	t.Parallel()
	const control = `
generator "fake" "control" {
  samples = 200
  quality = 0.48
}
trainer "fake" "control" {
  quality          = 0.5
  gain             = 0
  max_steps        = 40
  save_every_steps = 10
}
self_improvement "control" {
  domain                   = domain.numbers
  generator                = generator.fake.control
  trainer                  = trainer.fake.control
  exporter                 = exporter.fake.model
  evaluator                = evaluator.fake.panel
  mix_ratio                = { real = 1 }
  eval_every_steps         = 20
  min_steps_before_replace = 20
  benchmark_samples        = 400
}
`
	alone := loopFake(t, map[string]string{"max_steps": "40"})
	loopApply(t, alone)
	both := loopFake(t, map[string]string{"max_steps": "40"})
	loopWrite(t, both, "control.jupiter.hcl", control)
	loopApply(t, both)
	loopSound(t, both, true)
	want, _ := loopOutput(t, alone, exitDone, "history", "--json")
	got, _ := loopOutput(t, both, exitDone, "history", "--json", "--cycle", "numbers")
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("history of a cycle, alone (-) and beside another (+):\n%s", d)
	}
	loopView(t, both, func(tx *state.Tx) error {
		for cycle, verdicts := range map[addr.Address]string{numbers: "PROMOTE PROMOTE", "self_improvement.control": "HOLD HOLD"} {
			ds, err := tx.Decisions(cycle)
			if err != nil {
				return err
			}
			var words []string
			for _, d := range ds {
				words = append(words, d.Verdict)
			}
			if v := strings.Join(words, " "); v != verdicts {
				t.Errorf("%s decides %s, want %s", cycle, v, verdicts)
			}
		}
		collected := 0
		for a, err := range tx.Actions() {
			if err != nil {
				return err
			}
			if a.Kind == "collect" {
				collected++
			}
		}
		if collected != 1 {
			t.Errorf("the source was collected from %d times", collected)
		}
		return nil
	})
	for cycle, current := range map[string]string{"numbers": "generator_v3", "control": "generator_v1"} {
		if to, err := filepath.EvalSymlinks(filepath.Join(both, "generators", cycle, "current")); err != nil {
			t.Error(err)
		} else if v, err := filepath.EvalSymlinks(filepath.Join(both, "generators", cycle, current)); err != nil || v != to {
			t.Errorf("current of %s leads to %s, and %s to %s: %v", cycle, to, current, v, err)
		}
	}
}
