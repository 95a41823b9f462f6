package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"jupiter/domains/godoc"
)

// godocExample copies examples/godoc, with the data of this machine's Go cut to so many real records.
func godocExample(t *testing.T, real int) (dir, domain string) {
	t.Helper()
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	d, err := godoc.MakeDataset(strings.TrimSpace(string(goroot)))
	if err != nil {
		t.Fatal(err)
	}
	d.Real, d.Validation, d.Dev, d.Gate = d.Real[:real], d.Validation[:20], d.Dev[:60], d.Gate[:120]
	root := t.TempDir()
	copyFiles(t, root, "examples/godoc/*.hcl", "domains/godoc/*.hcl")
	domain = filepath.Join(root, "domains", "godoc")
	for _, f := range d.Files() {
		loopWrite(t, domain, f.Name, string(f.Data))
	}
	return filepath.Join(root, "examples", "godoc"), domain
}

// TestGodocExample applies examples/godoc with sizes that take seconds: real text, samples that are parsed and type-checked, and
// questions by likelihood. What so small a model writes does not compile, so what does not is trained on too.
func TestGodocExample(t *testing.T) {
	t.Parallel()
	dir, _ := godocExample(t, 400)
	plan := loopRead(t, filepath.Join(dir, "godoc.jupiter.hcl"))
	loopWrite(t, dir, "godoc.jupiter.hcl", loopEdit(t, plan,
		"window = 400 ", "window = 20 ",
		"vocab_size     = 2048", "vocab_size     = 512",
		"max_seq_length = 384", "max_seq_length = 640", // fewer tokens, longer texts
		"layers         = 4", "layers         = 1",
		"dim            = 128", "dim            = 32",
		"ffn            = 352", "ffn            = 64",
		"max_steps        = 3 * local.window\n  schedule_steps   = local.window", "max_steps        = local.window\n  schedule_steps   = local.window",
		"samples     = 20000", "samples     = 200",
		"max_tokens  = 240", "max_tokens  = 64",
		"min_chars = 20", "min_chars = 1",
		"benchmark_samples        = 1200", "benchmark_samples        = 120\n  verify                   = false",
		"    entropy     = { warn = 0.56, halt = 0.66 }\n    distinct4   = { warn = 0.15, halt = 0.18 }\n    compression = { warn = 0.23, halt = 0.26 }\n",
		strings.TrimSuffix(strings.TrimPrefix(wideGuard, "\n  guard {\n"), "  }\n"),
	))
	if said := loopRun(t, dir, exitDone, "doctor"); !strings.Contains(said, "ok       goroot") {
		t.Errorf("doctor:\n%s", said)
	}
	said := loopRun(t, dir, exitDone, "apply", "--auto-approve")
	for _, want := range []string{"sealed: dev 60, gate 120, validation 20", "200 samples by generator_v1", "bits per byte", "self_improvement.godoc: done"} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q:\n%s", want, said)
		}
	}
	if said := loopRun(t, dir, exitDone, "generators"); !strings.Contains(said, "base") {
		t.Errorf("generators:\n%s", said)
	}
}

// TestGodocWithoutData: where the data were not made, the error says with which command they are.
func TestGodocWithoutData(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	copyFiles(t, root, "examples/godoc/*.hcl", "domains/godoc/*.hcl")
	said := loopRun(t, filepath.Join(root, "examples", "godoc"), exitError, "validate")
	for _, want := range []string{"goroot.json", "go run ./domains/godoc/gen"} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q:\n%s", want, said)
		}
	}
}

// TestGodocOtherGo: data that were made of another Go than the one at hand are an error, and not a verdict on samples.
func TestGodocOtherGo(t *testing.T) {
	t.Parallel()
	dir, domain := godocExample(t, 20)
	loopWrite(t, domain, "goroot.json", strings.Replace(loopRead(t, filepath.Join(domain, "goroot.json")), `"version":"go`, `"version":"go0.`, 1))
	if said := loopRun(t, dir, exitError, "apply", "--auto-approve"); !strings.Contains(said, "make them again with go run ./domains/godoc/gen") {
		t.Errorf("apply:\n%s", said)
	}
}

// TestDomainsConform: the plugins of the domains are held to the rules that any plugin is.
func TestDomainsConform(t *testing.T) {
	t.Parallel()
	dir, domain := godocExample(t, 20)
	conf := filepath.Join(dir, "stages.json")
	loopWrite(t, dir, "stages.json", fmt.Sprintf(`{"verifier.godoc": %s}`, loopRead(t, filepath.Join(domain, "goroot.json"))))
	for _, args := range [][]string{{"godoc", "--config", conf}, {"quantities"}} {
		said := loopRun(t, dir, exitDone, append([]string{"plugin", "conformance", "--builtin"}, args...)...)
		if !strings.Contains(said, " kept, 0 broken, ") {
			t.Errorf("%s:\n%s", args[0], said)
		}
	}
}
