package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"jupiter/runtime"
	"jupiter/state"
)

// TestInterruptTiny interrupts real models at work. The first signal saves what there is and exits with 130; the next plan
// goes on from there, with what was saved; and the next apply comes to the bytes of an undisturbed run.
func TestInterruptTiny(t *testing.T) {
	t.Parallel()
	project := func(t *testing.T) string {
		dir := loopTiny(t, "verify                   = false", "verify = false\n max_cycles = 1")
		loopSplits(t, dir, 300) // more than what is answered between two durable points
		return dir
	}
	quiet := project(t)
	loopApply(t, quiet)
	want := loopResultOf(t, quiet)
	if v := loopVerdicts(t, quiet); v != "PROMOTE" {
		t.Fatalf("the project decides %s: it no longer shows what it is for", v)
	}
	for _, tc := range []struct {
		name, at string // the action that is interrupted, once that it has saved something
		plan     string // the next plan's line, with %d for how much was saved; "": the action is no line of a plan
	}{
		{"training", "trainer.llama.student", "advance continue after %d steps (interrupted); steps 0 → 200 of 400"},
		{"evaluating", "evaluator.panel.scores", "advance continue after %d answers (interrupted); candidate against generator_v1"},
		{"at the gate", "evaluator.panel.scores.gate", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := project(t)
			saved := loopInterrupt(t, dir, of(runtime.Saved, tc.at))
			ops := loopPlan(t, dir, exitDone)
			if tc.plan == "" {
				if len(ops) != 1 || !strings.HasPrefix(ops["self_improvement.tiny.promotion"], "decide ") {
					t.Errorf("the next plan: %v", ops)
				}
			} else if want := fmt.Sprintf(tc.plan, saved.Done); ops[tc.at] != want {
				t.Errorf("the next plan: %q, want %q", ops[tc.at], want)
			}
			loopApply(t, dir)
			loopSame(t, "after an interruption", want, dir)
			loopSound(t, dir, true)
		})
	}
}

// loopInterrupt applies, interrupts at an event, and gives what was saved.
func loopInterrupt(t *testing.T, dir string, at func(runtime.Event) bool) state.Partial {
	t.Helper()
	a := startApply(t, dir)
	a.until("the interruption", at)
	a.signal(os.Interrupt)
	if code, last := a.end(); code != exitInterrupted || last.Outcome != runtime.OutcomeInterrupted {
		t.Fatalf("exit status %d, last line %+v\n%s", code, last, &a.errs)
	}
	loopSound(t, dir, false)
	partials := loopPartials(t, dir)
	if len(partials) != 1 || partials[0].Done == 0 {
		t.Fatalf("what was saved: %+v", partials)
	}
	return partials[0]
}

// TestInterruptGenerating: samples that were drawn before an interruption are kept. They do not stand in the way of a
// smaller order, which is drawn anew.
func TestInterruptGenerating(t *testing.T) {
	t.Parallel()
	const samples, cycles = "samples    = 200", "verify                   = false"
	many := "samples = 12000\n threads = 1" // so that it takes a while
	one := "verify = false\n max_cycles = 1"
	short := []string{"max_steps        = 400", "max_steps = 20", "save_every_steps = 100", "save_every_steps = 10",
		"eval_every_steps         = 200", "eval_every_steps = 20", "min_steps_before_replace = 200", "min_steps_before_replace = 20",
		"distinct4    =", "nll = { warn = 50, halt = 90 }\n distinct4 ="}
	project := func(t *testing.T, n string) string {
		return loopTiny(t, append([]string{samples, n, cycles, one}, short...)...)
	}
	dir := project(t, many)
	saved := loopInterrupt(t, dir, func(e runtime.Event) bool {
		return e.Type == runtime.Progressed && e.Address == "domain.quantities.template.example" && e.Done > 0
	})
	if op := loopPlan(t, dir, exitDone)["domain.quantities.template.example"]; op != fmt.Sprintf("advance continue after %d samples (interrupted); 12000 samples by generator_v1", saved.Done) {
		t.Errorf("the next plan: %q", op)
	}
	if saved.Done <= 20 {
		t.Fatalf("%d samples were saved", saved.Done)
	}
	less := t.TempDir()
	if err := copyTree(dir, less); err != nil {
		t.Fatal(err)
	}

	loopApply(t, dir)
	quiet := project(t, many)
	loopApply(t, quiet)
	loopSame(t, "after an interruption", loopResultOf(t, quiet), dir)

	loopChange(t, less, "samples = 12000", "samples = 300")
	loopApply(t, less)
	few := project(t, "samples = 300\n threads = 1")
	loopApply(t, few)
	loopSame(t, "a smaller order", loopResultOf(t, few), less)
}

func loopPartials(t *testing.T, dir string) (all []state.Partial) {
	t.Helper()
	loopView(t, dir, func(tx *state.Tx) error {
		for p, err := range tx.Partials() {
			if err != nil {
				return err
			}
			all = append(all, p)
		}
		return nil
	})
	return all
}
