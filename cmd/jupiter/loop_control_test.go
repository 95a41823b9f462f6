package main

import (
	"strings"
	"testing"
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
