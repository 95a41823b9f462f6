package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"jupiter/state"
)

// TestHostedChanges: a server that runs another model at an apply than at the plan stops the saved plan; one that does so from the
// middle of an apply on stops the apply, and nothing is decided on what two models have answered.
func TestHostedChanges(t *testing.T) {
	t.Parallel()
	h := newHosted(t, time.Millisecond)
	dir := hostedProject(t, h, "")
	say := func(version string) {
		h.list = fmt.Sprintf(`{"data":[{"id":"large","owned_by":"somebody","root":%q}]}`, version)
	}
	say("v1")
	loopRun(t, dir, exitDone, "plan", "--out", "saved.plan")
	h.mu.Lock()
	say("v2")
	h.mu.Unlock()
	if said := loopRun(t, dir, exitError, "apply", "saved.plan"); !strings.Contains(said, "a source, a file to import or a served model is not what it was") || h.asked != 0 {
		t.Errorf("a saved plan is applied to another model, which is asked %d times:\n%s", h.asked, said)
	}

	h.mu.Lock()
	h.reach, h.at = 100, func() { say("v3") }
	h.mu.Unlock()
	said := loopRun(t, dir, exitError, "apply", "--auto-approve")
	if !strings.Contains(said, "runs another model now than when this run first asked it") || !strings.Contains(said, "jupiter plan says what follows") {
		t.Errorf("a change in the middle:\n%s", said)
	}
	loopView(t, dir, func(tx *state.Tx) error {
		if n := len(tx.DecidedCycles()); n != 0 {
			t.Errorf("%d cycles are decided", n)
		}
		for p, err := range tx.Partials() {
			if err != nil {
				return err
			}
			if p.Done >= 200 {
				t.Errorf("%d samples of two models are kept", p.Done)
			}
		}
		return nil
	})
	loopSound(t, dir, true)
	if said := loopRun(t, dir, exitDone, "plan"); !strings.Contains(said, "the model that it names is another one than when it was recorded") || !strings.Contains(said, "becomes generator_v2") {
		t.Errorf("the plan after it:\n%s", said)
	}
	if said := loopApply(t, dir, "--cycles", "1"); !strings.Contains(said, "200 samples by generator_v2") {
		t.Errorf("the apply after it:\n%s", said)
	}
}
