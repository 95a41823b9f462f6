package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// pluginExample copies the plan of an example plugin, with the domain that it uses, and gives its directory.
func pluginExample(t *testing.T, name string) string {
	t.Helper()
	root := t.TempDir()
	for _, dir := range []string{"domains/quantities", "examples/plugins/" + name + "/plan", "examples/plugins/" + name + "/plan/remainders"} {
		paths, err := filepath.Glob(filepath.Join(repository, filepath.FromSlash(dir), "*.*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range paths {
			if ext := filepath.Ext(p); ext == ".jsonl" || strings.HasSuffix(p, ".jupiter.hcl") {
				docFile(t, filepath.Join(root, filepath.FromSlash(dir), filepath.Base(p)), loopRead(t, p))
			}
		}
	}
	return filepath.Join(root, "examples", "plugins", name, "plan")
}

// inDir runs a command in a directory, and gives what it says.
func inDir(t *testing.T, dir, program string, args ...string) string {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// TestWordfilterExample builds the example plugin in Go and applies its plan: records are dropped for its reasons.
func TestWordfilterExample(t *testing.T) {
	t.Parallel()
	dir := pluginExample(t, "go-wordfilter")
	inDir(t, filepath.Join(repository, "examples/plugins/go-wordfilter"), "go", "build", "-o", filepath.Join(dir, "bin", "wordfilter"), ".")
	if out := inDir(t, dir, "jupiter", "init"); !strings.Contains(out, "1.0.0 locked, from ./bin/wordfilter") {
		t.Errorf("init:\n%s", out)
	}
	if out := inDir(t, dir, "jupiter", "plan"); !strings.Contains(out, "+ filter.wordfilter.metric ") {
		t.Errorf("plan:\n%s", out)
	}
	out := inDir(t, dir, "jupiter", "apply", "--auto-approve")
	m := regexp.MustCompile(`done +filter\.wordfilter\.metric: (\d+) of (\d+) kept, imperial (\d+), rambling (\d+)`).FindStringSubmatch(out)
	if m == nil {
		t.Fatalf("no records were dropped for both reasons:\n%s", out)
	}
	var n [4]int
	for i := range n {
		n[i], _ = strconv.Atoi(m[i+1])
	}
	if n[0] == 0 || n[2] == 0 || n[3] == 0 || n[0]+n[2]+n[3] != n[1] {
		t.Errorf("%s: the numbers are not of one set", m[0])
	}
	if !strings.Contains(out, "self_improvement.quantities: done") {
		t.Errorf("the cycle did not come to its end:\n%s", out)
	}
}

// pythonEnvironment is the virtual environment that pip has installed the Python packages in, made once for all tests.
var pythonEnvironment = sync.OnceValues(func() (string, error) { return environmentOf("plugins/sdk/python/environment.py") })

// environmentOf has a script of the repository make a virtual environment, and gives its directory. An error says why there
// is none.
func environmentOf(script string, args ...string) (string, error) {
	python := os.Getenv("PYTHON")
	if python == "" {
		python = "python3"
	}
	var stderr bytes.Buffer
	cmd := exec.Command(python, append([]string{filepath.Join(repository, script)}, args...)...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	dir := strings.TrimSpace(string(out))
	switch {
	case err != nil:
		return "", errors.New(err.Error() + "\n" + stderr.String())
	case dir == "":
		return "", errors.New(stderr.String())
	}
	return dir, nil
}

// TestMarkovExample applies the plan of the example plugin in Python twice, which takes a minute: a student that sees further than
// the base is promoted, and one that sees less is not. It learns from the base's samples in either case.
func TestMarkovExample(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a minute")
	}
	t.Parallel()
	env, err := pythonEnvironment()
	if err != nil {
		t.Skipf("NOT TESTED, THE EXAMPLE PLUGIN IN PYTHON: its environment cannot be made: %v", err)
	}
	for order, want := range map[string]struct {
		decisions []string
		inUse     string
	}{"7": {[]string{"PROMOTE", "PROMOTE"}, "generator_v3"}, "4": {[]string{"HOLD", "HOLD"}, "generator_v1"}} {
		t.Run("order "+order, func(t *testing.T) {
			t.Parallel()
			dir := pluginExample(t, "python-markov")
			if err := os.Symlink(env, filepath.Join(dir, "venv")); err != nil {
				t.Fatal(err)
			}
			if out := inDir(t, dir, "jupiter", "init"); !strings.Contains(out, "the host makes its certificate") {
				t.Errorf("init:\n%s", out)
			}
			out := inDir(t, dir, "jupiter", "apply", "--auto-approve", "--var", "order="+order)
			kept := regexp.MustCompile(`verify: (\d+) of 4096 kept, .*verifier:wrong_answer \d+`).FindStringSubmatch(out)
			if kept == nil || len(kept[1]) < 3 {
				t.Errorf("the verifier kept fewer than a hundred samples:\n%s", out)
			}
			if !regexp.MustCompile(`remainders\.mix: 1920 draws, real 35\.00 %`).MatchString(out) {
				t.Errorf("the student did not learn from a mix:\n%s", out)
			}
			var history struct {
				Cycles []struct{ Decision string }
			}
			if err := json.Unmarshal([]byte(inDir(t, dir, "jupiter", "history", "--json", "--var", "order="+order)), &history); err != nil {
				t.Fatal(err)
			}
			var decisions []string
			for _, c := range history.Cycles {
				decisions = append(decisions, c.Decision)
			}
			if !slices.Equal(decisions, want.decisions) {
				t.Errorf("decisions %v, want %v", decisions, want.decisions)
			}
			if to, err := os.Readlink(filepath.Join(dir, "generators", "current")); err != nil || to != want.inUse {
				t.Errorf("in use is %s, want %s, %v", to, want.inUse, err)
			}
		})
	}
}
