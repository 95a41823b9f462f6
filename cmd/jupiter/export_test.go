package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"jupiter/plugins/builtin/llama/gguf"
	"jupiter/plugins/builtin/llama/hf"
)

// exportOfDocs: what `jupiter export` writes is the generator that is in use, number for number, and its card has the lineage
// that the state has. It has a project of the docs, in which the student has been promoted.
func exportOfDocs(t *testing.T, p *docProjects) {
	root := p.put(t, "export")
	dir := filepath.Join(root, "examples", "quickstart")
	run := func(want string, args ...string) {
		t.Helper()
		cmd := exec.Command("jupiter", args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "XDG_CACHE_HOME="+p.cache)
		out, _ := cmd.CombinedOutput()
		if !strings.Contains(string(out), want) {
			t.Errorf("%v: want %q in\n%s", args, want, out)
		}
	}
	current, _, err := gguf.Read(filepath.Join(dir, "generators", "current", "model.gguf"))
	if err != nil {
		t.Fatal(err)
	}
	base, _, err := gguf.Read(filepath.Join(dir, "generators", "generator_v1", "model.gguf"))
	if err != nil {
		t.Fatal(err)
	}

	run("generator_v2 is written to", "export", "plain")
	m, err := hf.Read(filepath.Join(dir, "plain"))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(m.Weights.Flat, current.Flat) {
		t.Error("the directory holds another model than the generator in use")
	}
	card := loopRead(t, filepath.Join(dir, "plain", "README.md"))
	digest := `sha256:[0-9a-f]{64}`
	for _, want := range []string{
		`(?m)^# quantities, generator_v2$`, `(?m)^\| Cycle \| self_improvement\.quantities \|$`, `(?m)^\| Model \| generator_v2, ` + digest + ` \|$`,
		`(?m)^\| Base generator \| generator_v1, of generator\.llama\.base, ` + digest + ` \|$`, `(?m)^\| Checkpoint \| ` + digest + ` \|$`,
		`(?m)^\| Data of trainer\.llama\.student\S* \| steps 0-500: ` + digest + ` \|$`, `(?m)^\| Real data \| ` + digest + ` \|$`,
		`(?m)^\| Student \| trainer\.llama\.student, 500 steps \|$`, `(?m)^\| Promoted \| by the decision of epoch 1, in the place of generator_v1 \|$`,
		`(?m)^\| Scores \| 0\.\d{4} on 120 items of gate `,
	} {
		if !regexp.MustCompile(want).MatchString(card) {
			t.Errorf("the card has no line %s:\n%s", want, card)
		}
	}

	run("generator_v1 is written to", "export", "first.gguf", "--format", "gguf", "--version", "1")
	if back, _, err := gguf.Read(filepath.Join(dir, "first.gguf")); err != nil || !slices.Equal(back.Flat, base.Flat) {
		t.Errorf("the file holds another model than generator_v1: %v", err)
	}
	run(`"schema": "jupiter.export/v1"`, "export", "half", "--dtype", "bf16", "--json")
	run("is there already", "export", "plain")
	run("which is a format of GGUF files", "export", "other", "--dtype", "q8_0")
	run("there is no generator_v9", "export", "other", "--version", "9")
	if _, err := os.Stat(filepath.Join(dir, "other")); err == nil {
		t.Error("a refused export has left something")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".jupiter-export-*")); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}
