package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jupiter/plan"
	"jupiter/plan/addr"
	"jupiter/state"
)

// The tests of the loop run the program, on two projects. The fake one (testdata/project) answers at once and does what
// its variables say. The tiny one (testdata/loop) trains and asks real models.

// loopTiny makes the tiny project in a new directory, with some of its text replaced. The splits are cut from the
// domain's.
func loopTiny(t *testing.T, edits ...string) string {
	t.Helper()
	dir := t.TempDir()
	loopSplits(t, dir, 60)
	loopWrite(t, dir, "main.jupiter.hcl", loopEdit(t, loopRead(t, "testdata/loop/main.jupiter.hcl"), edits...))
	return dir
}

func loopSplits(t *testing.T, dir string, dev int) {
	t.Helper()
	for name, n := range map[string]int{"real": 600, "validation": 30, "dev": dev, "gate": 400} {
		lines := strings.SplitAfter(loopRead(t, filepath.Join("..", "..", "domains", "quantities", name+".jsonl")), "\n")
		loopWrite(t, dir, name+".jsonl", strings.Join(lines[:n], ""))
	}
}

// loopFake makes the fake project in a new directory, with some of its text replaced.
func loopFake(t *testing.T, vars map[string]string, edits ...string) string {
	t.Helper()
	dir := fakeProject(t, vars)
	loopChange(t, dir, edits...)
	return dir
}

// loopChange replaces text of a project's configuration.
func loopChange(t *testing.T, dir string, edits ...string) {
	t.Helper()
	path := filepath.Join(dir, "main.jupiter.hcl")
	loopWrite(t, dir, "main.jupiter.hcl", loopEdit(t, loopRead(t, path), edits...))
}

// loopEdit replaces pairs of old and new text. The old is there exactly once.
func loopEdit(t *testing.T, src string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if n := strings.Count(src, pairs[i]); n != 1 {
			t.Fatalf("%q is in the configuration %d times", pairs[i], n)
		}
		src = strings.Replace(src, pairs[i], pairs[i+1], 1)
	}
	return src
}

func loopRead(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func loopWrite(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// loopCache holds the descriptions of plugins for all tests of the loop: asking for them is most of a short command.
var loopCache = sync.OnceValues(func() (string, error) {
	bin, err := exec.LookPath("jupiter") // testscript made its directory, and removes it
	if err != nil {
		return "", err
	}
	dir := filepath.Join(filepath.Dir(bin), "loop-cache")
	return dir, os.MkdirAll(dir, 0o755)
})

// loopCommand is a command of the program in a project.
func loopCommand(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	cache, err := loopCache()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("jupiter", args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "XDG_CACHE_HOME="+cache)
	return cmd
}

// loopRun runs a command to its end, and gives what it wrote. It must exit with a given status.
func loopRun(t *testing.T, dir string, status int, args ...string) string {
	t.Helper()
	out, errs := loopOutput(t, dir, status, args...)
	return out + errs
}

// loopOutput is loopRun with standard output and standard error apart.
func loopOutput(t *testing.T, dir string, status int, args ...string) (string, string) {
	t.Helper()
	cmd := loopCommand(t, dir, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != status {
		t.Fatalf("jupiter %s: exit status %d, want %d\n%s%s", strings.Join(args, " "), got, status, &out, &errs)
	}
	return out.String(), errs.String()
}

// loopApply applies to the end.
func loopApply(t *testing.T, dir string, args ...string) string {
	t.Helper()
	return loopRun(t, dir, exitDone, append([]string{"apply", "--auto-approve"}, args...)...)
}

// loopView reads a project's state, without its directory's lock.
func loopView(t *testing.T, dir string, read func(*state.Tx) error) {
	t.Helper()
	db := loopState(t, dir)
	if err := db.View(t.Context(), read); err != nil {
		t.Fatal(err)
	}
}

func loopState(t *testing.T, dir string) *state.DB {
	t.Helper()
	db, err := state.Open(filepath.Join(dir, ".jupiter"), state.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// loopSound fails unless every must of the invariants holds; with contents every artifact is read. What a killed process
// may leave open, the shoulds, is no damage.
func loopSound(t *testing.T, dir string, contents bool) {
	t.Helper()
	db := loopState(t, dir)
	check := db.Check
	if contents {
		check = db.CheckContents
	}
	found, err := check(t.Context())
	if err != nil {
		t.Fatalf("state check: %v", err)
	}
	for _, v := range found {
		if v.Must() {
			t.Errorf("state check: %v", v)
		}
	}
}

// loopResult is all that a project has come to, without times, names and what retention has still to do.
type loopResult struct {
	Actions    map[string]string // ID → address, and each output with its digest
	Partials   []string
	Generators map[addr.Address][]state.Generator
	Current    map[addr.Address]uint64
	Decisions  map[addr.Address][]state.Decision
	Looks      map[addr.Address][]state.Look
	Kept       map[string]string // digests of checkpoints and models that are stored → media type
	Links      map[string]string
	History    string
	Pipeline   string
}

func loopResultOf(t *testing.T, dir string) loopResult {
	t.Helper()
	r := loopResult{Actions: map[string]string{}, Generators: map[addr.Address][]state.Generator{}, Current: map[addr.Address]uint64{},
		Decisions: map[addr.Address][]state.Decision{}, Looks: map[addr.Address][]state.Look{}, Kept: map[string]string{}, Links: map[string]string{}}
	loopView(t, dir, func(tx *state.Tx) error {
		for a, err := range tx.Actions() {
			if err != nil {
				return err
			}
			text := a.Address
			for _, name := range slices.Sorted(maps.Keys(a.Outputs)) {
				text += fmt.Sprintf(" %s=%s", name, a.Outputs[name].Digest)
			}
			r.Actions[a.ID] = text
		}
		for p, err := range tx.Partials() {
			if err != nil {
				return err
			}
			r.Partials = append(r.Partials, p.Address)
		}
		for a, err := range tx.Artifacts() {
			if err != nil {
				return err
			}
			if strings.Contains(a.MediaType, "checkpoint") || strings.Contains(a.MediaType, "model") || strings.Contains(a.MediaType, "gguf") {
				r.Kept[a.Digest] = a.MediaType
			}
		}
		for _, c := range tx.Cycles() {
			var err error
			if r.Generators[c], err = tx.Generators(c); err != nil {
				return err
			}
			if r.Current[c], _, err = tx.Current(c); err != nil {
				return err
			}
			if r.Decisions[c], err = tx.Decisions(c); err != nil {
				return err
			}
			if r.Looks[c], err = tx.Looks(c); err != nil {
				return err
			}
			for i := range r.Generators[c] {
				r.Generators[c][i].CreatedAt = state.Run{}.Ended
			}
			for i := range r.Decisions[c] {
				r.Decisions[c][i].At, r.Decisions[c][i].Run = state.Run{}.Ended, ""
			}
			for i := range r.Looks[c] {
				r.Looks[c][i].At = state.Run{}.Ended
			}
		}
		return nil
	})
	for _, c := range slices.Sorted(maps.Keys(r.Generators)) {
		name := strings.TrimPrefix(string(c), "self_improvement.")
		out, _ := loopOutput(t, dir, exitDone, "history", "--json", "--cycle", name)
		r.History += out
	}
	r.Pipeline = loopRead(t, filepath.Join(dir, "pipeline_state.json"))
	links, err := os.ReadDir(filepath.Join(dir, "generators"))
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		if r.Links[l.Name()], err = os.Readlink(filepath.Join(dir, "generators", l.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// loopSame fails unless two projects have come to the same, to the byte.
func loopSame(t *testing.T, what string, want loopResult, dir string) {
	t.Helper()
	if d := cmp.Diff(want, loopResultOf(t, dir)); d != "" {
		t.Errorf("%s differs from an undisturbed run (-) (+):\n%s", what, d)
	}
}

// loopDecisions are the verdicts of a project's only cycle.
func loopDecisions(t *testing.T, dir string) (all []state.Decision) {
	t.Helper()
	loopView(t, dir, func(tx *state.Tx) (err error) {
		for _, c := range tx.DecidedCycles() {
			more, err := tx.Decisions(c)
			if err != nil {
				return err
			}
			all = append(all, more...)
		}
		return nil
	})
	return all
}

func loopVerdicts(t *testing.T, dir string) string {
	t.Helper()
	var words []string
	for _, d := range loopDecisions(t, dir) {
		words = append(words, d.Verdict)
	}
	return strings.Join(words, " ")
}

// loopPlan is what plan --json wants to change: address → operation and title.
func loopPlan(t *testing.T, dir string, status int) map[string]string {
	t.Helper()
	out, _ := loopOutput(t, dir, status, "plan", "--json")
	var p plan.Plan
	if err := json.Unmarshal([]byte(out), &p); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ops := map[string]string{}
	for _, c := range p.Changes {
		if c.Op != plan.NoOp {
			ops[string(c.Address)] = string(c.Op) + " " + c.Title
		}
	}
	return ops
}
