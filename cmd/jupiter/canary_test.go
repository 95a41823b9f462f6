package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// canaries are the secrets of TestCanary, by the way in which each is given. They have what JSON, HCL and URLs escape.
var canaries = map[string]string{
	"file": `canary<"&\>file-5d0c1e7a94f2`,
	"env":  `canary<"&\>env-b81f63a0c7d4e`,
	"arg":  `canary<"&\>arg-2e96d47f01ab3`,
}

// TestCanary gives secrets in each of the three ways to stages that want them, runs what can be run, and then searches
// every file and every output for them: they are in the file of values, and nowhere else.
func TestCanary(t *testing.T) {
	t.Parallel()
	x := newAviary(t)
	x.run(exitDone, "validate")
	x.run(exitDone, "plan", "--out", "first.plan")
	x.run(exitDone, "show", "first.plan")

	// Another key than the stage wants is told without either.
	x.exec("wrong.hcl", exitError, []string{"apply", "--auto-approve"})
	if said := x.last(); !strings.Contains(said, "the key \"(sensitive)\" is not the one of key_sha256") {
		t.Fatalf("the secret of a file does not reach the stage:\n%s", said)
	}

	// The trainer's process dies, and the next apply goes on.
	loopChange(t, x.dir, "exit_at          = var.exit_at", "exit_at          = 15")
	loopChange(t, x.dir, "  once             = \"faulted\"\n", "")
	x.run(exitError, "apply", "--auto-approve")
	if said := x.last(); !strings.Contains(said, "crashed (exit status 3) in trainer fake") {
		t.Fatalf("no crash report:\n%s", said)
	}
	x.run(exitDone, "status")
	x.run(exitDone, "runs", "show", "last", "--json")
	loopChange(t, x.dir, "exit_at          = 15", "exit_at          = null")
	x.run(exitDone, "apply", "--auto-approve", "--json", "--cycles", "1")

	for _, args := range [][]string{
		{"plan", "--json"}, {"plan", "--markdown"}, {"plan", "--out", "saved.plan"}, {"show", "saved.plan"}, {"show", "--json", "saved.plan"},
		{"explain", "domain.numbers.template.question"}, {"explain", "trainer.fake.student", "--json"}, {"graph"},
		{"console", "-e", "var.file", "-e", "local.all", "-e", "{ a = [var.env] }"}, {"output"}, {"output", "--json"}, {"status", "--json"},
		{"history"}, {"history", "--json"}, {"runs", "show", "last"}, {"state", "show", "trainer.fake.student", "--json"},
		{"state", "export"}, {"state", "backup", "copy.db"}, {"sample", "fake 1:"}, {"fmt", "--diff"},
	} {
		x.run(exitDone, args...)
	}
	// A function that fails on a secret, and a secret where one may not stand.
	x.run(exitError, "console", "-e", "tonumber(var.file)", "-e", "parseint(var.arg, 10)", "-e", `{}[var.env]`)
	loopWrite(t, x.dir, "leak.jupiter.hcl", "filter \"fake\" \"leak\" {\n  once = local.all[0]\n}\n\noutput \"leak\" {\n  value = var.env\n}\n")
	x.run(exitError, "validate", "--json")
	x.run(exitError, "plan")

	x.search()
}

// aviary is the fake project with its canaries, and what the program has said so far.
type aviary struct {
	t      *testing.T
	dir    string // of the project; the caches and the machine's history lie below it
	said   []string
	called []string
}

func newAviary(t *testing.T) *aviary {
	x := &aviary{t: t, dir: fakeProject(t, map[string]string{"max_steps": "40"})}
	keyed := func(name string) string {
		sum := sha256.Sum256([]byte(canaries[name]))
		return fmt.Sprintf("key              = var.%s\n  key_sha256       = %q\n", name, hex.EncodeToString(sum[:]))
	}
	loopChange(t, x.dir,
		"    n      = 300\n", "    n      = 300\n  "+keyed("arg"),
		"  quality = 0.5\n", "  quality = 0.5\n  "+keyed("file"),
		"  quality          = 0.3\n", "  quality          = 0.3\n  "+keyed("env"))
	loopWrite(t, x.dir, "secrets.jupiter.hcl", `
variable "file" {
  type      = string
  sensitive = true
}

variable "arg" {
  type      = string
  sensitive = true
}

variable "env" {
  type      = string
  sensitive = true
  default   = env("CANARY")
}

locals {
  all = [var.file, var.arg, "and ${var.env}"]
}

output "all" {
  value     = local.all
  sensitive = true
}
`)
	quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	loopWrite(t, x.dir, "values.hcl", fmt.Sprintf("file = \"%s\"\n", quoted.Replace(canaries["file"])))
	loopWrite(t, x.dir, "wrong.hcl", fmt.Sprintf("file = \"not %s\"\n", quoted.Replace(canaries["file"])))
	return x
}

// run runs a command with the canaries.
func (x *aviary) run(status int, args ...string) {
	x.t.Helper()
	x.exec("values.hcl", status, args)
}

// exec runs a command with a file of values. Those that read no configuration are given no values.
func (x *aviary) exec(values string, status int, args []string) {
	x.t.Helper()
	if args[0] != "show" && args[0] != "fmt" {
		args = append(args, "--var-file", values, "--var", "arg="+canaries["arg"])
	}
	cmd := exec.Command("jupiter", args...)
	cmd.Dir = x.dir
	cmd.Env = append(os.Environ(), "CANARY="+canaries["env"], "JUPITER_HISTORY=on", "XDG_CACHE_HOME="+filepath.Join(x.dir, ".cache"), "XDG_STATE_HOME="+filepath.Join(x.dir, ".machine"))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		x.t.Fatal(err)
	}
	x.called, x.said = append(x.called, strings.Join(args[:min(2, len(args))], " ")), append(x.said, out.String())
	if got := cmd.ProcessState.ExitCode(); got != status {
		x.t.Fatalf("jupiter %s: exit status %d, want %d\n%s", strings.Join(args, " "), got, status, &out)
	}
	if out.Len() == 0 && args[0] != "fmt" {
		x.t.Fatalf("jupiter %s says nothing", strings.Join(args, " "))
	}
}

func (x *aviary) last() string { return x.said[len(x.said)-1] }

// search looks for the canaries in all that there is, and makes sure that there was something to look at.
func (x *aviary) search() {
	x.t.Helper()
	var secrets []string
	for _, how := range slices.Sorted(maps.Keys(canaries)) {
		secrets = append(secrets, canaries[how])
	}
	for i, said := range x.said {
		for _, w := range found("what jupiter "+x.called[i]+" says", []byte(said), secrets...) {
			x.t.Error(w)
		}
	}
	for _, path := range []string{".jupiter/state.db", ".jupiter/backups", ".jupiter/artifacts", "copy.db", "first.plan", "saved.plan", "pipeline_state.json", "generators/current", ".cache/jupiter", ".machine/jupiter", "values.hcl"} {
		if _, err := os.Stat(filepath.Join(x.dir, path)); err != nil {
			x.t.Errorf("nothing to search: %v", err)
		}
	}
	where, files := foundBelow(x.t, x.dir, []string{"values.hcl", "wrong.hcl"}, secrets...)
	for _, w := range where {
		x.t.Error(w)
	}
	if where, _ := foundBelow(x.t, x.dir, nil, secrets...); len(where) == 0 {
		x.t.Error("the file of values is not found either: the search is blind")
	}
	x.t.Logf("%d outputs and %d files searched", len(x.said), files)
}
