package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"jupiter/state"
)

// budgeted makes a fake project whose blocks have more in them: pairs of a text of the configuration and what follows it.
func budgeted(t *testing.T, vars map[string]string, after ...string) string {
	t.Helper()
	dir := fakeProject(t, vars)
	path := filepath.Join(dir, "main.jupiter.hcl")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s := string(b)
	for i := 0; i < len(after); i += 2 {
		if !strings.Contains(s, after[i]) {
			t.Fatalf("the project has no %q", after[i])
		}
		s = strings.Replace(s, after[i], after[i]+"\n"+after[i+1], 1)
	}
	if err := os.WriteFile(path, []byte(s), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Where blocks of the fake project can be added to.
const (
	inGenerator = "  samples = 200"
	inCycle     = "  benchmark_samples        = 400"
)

// applied runs an apply and gives its exit status, what it said, and the run's record.
func applied(t *testing.T, dir string) (int, string, state.Run) {
	t.Helper()
	out, err := jupiter(t, dir, "apply", "--auto-approve").CombinedOutput()
	status := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		status = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	var shown runShow
	if err := json.Unmarshal([]byte(output(t, jupiter(t, dir, "runs", "show", "last", "--json"))), &shown); err != nil {
		t.Fatal(err)
	}
	return status, string(out), shown.Run
}

// TestBudgets: an apply ends within 1 % of each budget, with exit status 4, a line that says which, and all progress; the
// next one goes on.
func TestBudgets(t *testing.T) {
	t.Parallel()
	const cents = "prices {\n version = \"test\"\n usd_per_million_input = 1000\n usd_per_million_output = 2000\n }\n"
	for name, tc := range map[string]struct {
		vars   map[string]string
		after  []string
		says   string
		used   func(*state.Usage) float64
		budget float64
		below  bool // the budget is never reached, only kept
	}{
		"tokens of a cycle": {
			after: []string{inGenerator, "tokens = 10", inCycle, "budget {\n tokens = 1100\n }"}, says: "self_improvement.numbers: budget.tokens = 1100 for this apply",
			used: func(u *state.Usage) float64 { return float64(u.PromptTokens + u.CompletionTokens) }, budget: 1100,
		},
		"tokens of training": {
			after: []string{inCycle, "budget {\n tokens = 440\n }"}, says: "budget.tokens = 440",
			used: func(u *state.Usage) float64 { return float64(u.PromptTokens + u.CompletionTokens) }, budget: 440,
		},
		"tokens of scoring": { // in the middle of a block of likelihoods
			after: []string{inCycle, "budget {\n tokens = 33000\n }"}, says: "budget.tokens = 33000",
			used: func(u *state.Usage) float64 { return float64(u.PromptTokens + u.CompletionTokens) }, budget: 33000,
		},
		"money": {
			after: []string{inGenerator, cents + "tokens = 10", inCycle, "budget {\n usd = 2.1\n }"}, says: "budget.usd = 2.1",
			used: func(u *state.Usage) float64 { return *u.USD }, budget: 2.1,
		},
		"disk": {
			after: []string{inCycle, "budget {\n disk_gb = 0.0006\n }"}, says: "budget.disk_gb = 0.0006 for this apply is used up",
			used: func(u *state.Usage) float64 { return float64(u.DiskBytes) / 1e9 }, budget: 0.0006, below: true,
		},
		"time": {
			vars:  map[string]string{"delay_ms": "400", "save_every": "2"},
			after: []string{inCycle, "budget {\n hours = 0.0007\n }"}, says: "budget.hours = 0.0007",
			used: func(u *state.Usage) float64 { return u.Seconds / 3600 }, budget: 0.0007,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := budgeted(t, tc.vars, tc.after...)
			status, said, run := applied(t, dir)
			if status != exitEnvelope || run.Outcome != "budget" || !strings.Contains(said, tc.says) || !strings.Contains(said, "All progress is saved") {
				t.Fatalf("exit status %d, outcome %q, want 4 and %q:\n%s", status, run.Outcome, tc.says, said)
			}
			used := tc.used(run.Actual)
			t.Logf("%g of a budget of %g", used, tc.budget)
			over := 1.01
			if name == "time" {
				over = 1.2 // the last step of the stage and the end of the run are in it too; see TestHours
			}
			if used > tc.budget*over || !tc.below && used < tc.budget*0.99 {
				t.Errorf("used %g of %g", used, tc.budget)
			}
			if out := output(t, jupiter(t, dir, "plan")); strings.Contains(out, "No changes") {
				t.Errorf("nothing is left to do:\n%s", out)
			}
			if check := output(t, jupiter(t, dir, "state", "check")); !strings.Contains(check, "holds") {
				t.Errorf("the state:\n%s", check)
			}
		})
	}
}

// TestBudgetGoesOn: what a budget cut off is not done again, and the second apply has as much again.
func TestBudgetGoesOn(t *testing.T) {
	t.Parallel()
	dir := budgeted(t, nil, inGenerator, "tokens = 10\n budget {\n tokens = 1210\n }")
	status, said, run := applied(t, dir)
	if status != exitEnvelope || !strings.Contains(said, "generator.fake.base: budget.tokens = 1210 for one run of domain.numbers.template.question is used up: 1210") {
		t.Fatalf("exit status %d:\n%s", status, said)
	}
	if out := output(t, jupiter(t, dir, "plan")); !strings.Contains(out, "continue after 110 samples (interrupted); 200 samples by generator_v1  ") || !strings.Contains(out, "~990 tokens") {
		t.Errorf("the plan:\n%s", out)
	}
	status, said, run = applied(t, dir)
	if status != exitDone {
		t.Errorf("exit status %d:\n%s", status, said)
	}
	// 90 samples are left; then the guard asks two models 2000 times, and four evaluations have 60, 60, 200 and 800 answers.
	if run.Actual.CompletionTokens != 10*(90+2*2000+60+60+200+800) || !strings.Contains(said, "200 samples by generator_v1, 2000 tokens") {
		t.Errorf("%d tokens written:\n%s", run.Actual.CompletionTokens, said)
	}
}

// TestSmallBudgetWarns: a plan says that a budget will not do, and what an approval covers.
func TestSmallBudgetWarns(t *testing.T) {
	t.Parallel()
	dir := budgeted(t, nil, inCycle, "budget {\n tokens = 100\n hours = 3\n disk_gb = 2\n }")
	out := output(t, jupiter(t, dir, "plan"))
	for _, want := range []string{"self_improvement.numbers: budget.tokens = 100 will end the apply within this cycle, which takes at least",
		"at most 1 cycle, 1 look at the gate pool, 100 tokens, 3 hours, 2 GB of disk; a promotion"} {
		if !strings.Contains(out, want) {
			t.Errorf("the plan does not say %q:\n%s", want, out)
		}
	}
}

// TestSmallBudgetGoesOn: applies with a budget that is less than what some actions take come to the end of a cycle together.
// What each of them took is not taken again, but for what was in work.
func TestSmallBudgetGoesOn(t *testing.T) {
	t.Parallel()
	const budget = 15000
	dir := budgeted(t, nil, inCycle, fmt.Sprintf("budget {\n tokens = %d\n }", budget))
	var used uint64
	for n := 1; ; n++ {
		status, said, run := applied(t, dir)
		used += run.Actual.PromptTokens + run.Actual.CompletionTokens
		if status == exitDone {
			t.Logf("%d applies, %d tokens", n, used)
			break
		}
		if status != exitEnvelope || n == 40 {
			t.Fatalf("apply %d of %d tokens each: exit status %d\n%s", n, budget, status, said)
		}
	}
	whole := budgeted(t, nil)
	if status, said, run := applied(t, whole); status != exitDone {
		t.Fatalf("exit status %d\n%s", status, said)
	} else if all := run.Actual.PromptTokens + run.Actual.CompletionTokens; float64(used) > 1.5*float64(all) {
		t.Errorf("%d tokens in small applies, %d in one", used, all)
	}
}
