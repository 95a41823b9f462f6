package main

import (
	"strings"
	"testing"

	"jupiter/runtime"
	"jupiter/state"
)

// TestControl: a cycle whose mix is real alone generates nothing. Its student may see the very draws that its base saw:
// the two are then one action, which is done once.
func TestControl(t *testing.T) {
	t.Parallel()
	dir := loopTiny(t, "verify                   = false", "mix_ratio = { real = 1 }",
		"max_steps        = 40\n", "max_steps = 200\n", "save_every_steps = 20", "save_every_steps = 100") // as the student's
	out := loopApply(t, dir)
	if n := strings.Count(out, "6400 draws, real 100.00 %"); n != 2 { // one for the base and the first window, one for the second
		t.Errorf("%d actions drew\n%s", n, out)
	}
	if strings.Contains(out, "template.example") {
		t.Errorf("samples were generated:\n%s", out)
	}
	loopSound(t, dir, true)
}

// TestStudentBeforeBase: without synthetic data a student waits for no base generator. Here it is trained and selected
// while the base's draws are still made, and what was evaluated is what is promoted all the same.
func TestStudentBeforeBase(t *testing.T) {
	t.Parallel()
	dir := loopFake(t, nil, `generator "fake" "base" {`, `trainer "fake" "base" {
  dataset    = domain.numbers.real
  quality    = 0.4
  max_steps  = 20
  batch_size = 40000
}
generator "fake" "base" {
  model   = trainer.fake.base`, "benchmark_samples        = 400", "benchmark_samples = 400\n mix_ratio = { real = 1 }")
	a := startApply(t, dir)
	a.until("the end of the student's training", of(runtime.Finished, "trainer.fake.student"))
	for _, e := range a.events {
		if e.Type == runtime.Started && e.Address == "trainer.fake.base[1]" {
			t.Fatal("the base came first: the project no longer shows what it is for")
		}
	}
	if code, last := a.end(); code != exitDone {
		t.Fatalf("exit status %d, last line %+v\n%s", code, last, &a.errs)
	}
	if v := loopVerdicts(t, dir); v != "PROMOTE" {
		t.Errorf("decisions %s", v)
	}
	loopView(t, dir, func(tx *state.Tx) error { return promotedIsEvaluated(t, tx, numbers) })
}
