//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"jupiter/runtime"
	"jupiter/state"
)

// The tests of rogue plugins run the fake project with the plugin of testdata/rogue in the place of the built-in one: it
// does the same, but for the fault that the project's file rogue.fault names.

// rogueExe builds the plugin once.
var rogueExe = sync.OnceValues(func() (string, error) {
	bin, err := exec.LookPath("jupiter") // testscript made its directory, and removes it
	if err != nil {
		return "", err
	}
	exe := filepath.Join(filepath.Dir(bin), "rogue-plugin")
	if out, err := exec.Command("go", "build", "-o", exe, "./testdata/rogue").CombinedOutput(); err != nil {
		return "", errors.New(err.Error() + "\n" + string(out))
	}
	return exe, nil
})

// rogueProject makes the project, with some of its text replaced.
func rogueProject(t *testing.T, edits ...string) string {
	t.Helper()
	exe, err := rogueExe()
	if err != nil {
		t.Fatal(err)
	}
	dir := fakeProject(t, map[string]string{"save_every": "5"})
	src := loopRead(t, filepath.Join(dir, "main.jupiter.hcl"))
	src = strings.NewReplacer(`"fake"`, `"rogue"`, ".fake.", ".rogue.", "trainer   = trainer", "filters   = [filter.rogue.all]\n  trainer   = trainer").Replace(src)
	src += "\nfilter \"rogue\" \"all\" {\n  quality = 1\n}\n\njupiter {\n  required_plugins {\n    rogue = { source = \"./rogue\" }\n  }\n}\n"
	loopWrite(t, dir, "main.jupiter.hcl", loopEdit(t, src, edits...))
	loopWrite(t, dir, "user.hcl", "dev_overrides {\n  rogue = "+strconv.Quote(exe)+"\n}\n")
	return dir
}

// rogueCommand is a command of the program under a fault; "": none.
func rogueCommand(t *testing.T, dir, fault string, args ...string) *exec.Cmd {
	t.Helper()
	loopWrite(t, dir, "rogue.fault", fault)
	cmd := jupiter(t, dir, args...)
	cmd.Env = append(cmd.Env, "JUPITER_CONFIG="+filepath.Join(dir, "user.hcl"))
	return cmd
}

// rogueRun runs a command to its end, and gives all that it wrote. Whatever a plugin says, none of it may reach a terminal
// as it is, and nothing may be lost.
func rogueRun(t *testing.T, dir, fault string, status int, args ...string) string {
	t.Helper()
	before := rogueActions(t, dir)
	out, err := rogueCommand(t, dir, fault, args...).CombinedOutput()
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	if got != status {
		t.Fatalf("%s: exit status %d, want %d\n%s", fault, got, status, out)
	}
	if i := bytes.IndexFunc(out, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r == '\u202e' }); i >= 0 {
		t.Errorf("%s: the output has the control character %q", fault, out[i:min(len(out), i+20)])
	}
	if bytes.Contains(out, []byte("goroutine ")) {
		t.Errorf("%s: the program dies:\n%s", fault, out)
	}
	if len(out) > 256<<10 {
		t.Errorf("%s: %d bytes of output", fault, len(out))
	}
	after := rogueActions(t, dir)
	for id, at := range before {
		if after[id] == "" {
			t.Errorf("%s: what %s had recorded is lost", fault, at)
		}
	}
	if len(after) > 0 {
		loopSound(t, dir, false)
	}
	return string(out)
}

// rogueActions are the recorded actions of a project: ID → address.
func rogueActions(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	if _, err := os.Stat(filepath.Join(dir, ".jupiter", "state.db")); err != nil {
		return all
	}
	loopView(t, dir, func(tx *state.Tx) error {
		for a, err := range tx.Actions() {
			if err != nil {
				return err
			}
			all[a.ID] = a.Address
		}
		return nil
	})
	return all
}

// TestRogue: a plugin that breaks the protocol ends the apply with an error that names it, its stage and what is wrong, and
// says what happens next. What was recorded stays, and the next apply goes on from there: each chain runs into one fault
// after the other on its way through a cycle, and comes to its end once the plugin behaves.
func TestRogue(t *testing.T) {
	t.Parallel()
	for name, chain := range rogueChains() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := rogueProject(t)
			for _, c := range chain {
				args := []string{"apply", "--auto-approve"}
				if target := rogueTarget(c[1]); target != "" {
					args = append(args, "--target", target)
				}
				out := rogueRun(t, dir, c[0], exitError, args...)
				for _, want := range []string{"plugin rogue 6.6.6 breaks the protocol " + c[1], c[2], "jupiter apply goes on from there", "the report: .jupiter/crashes/"} {
					if !strings.Contains(out, want) {
						t.Errorf("%s: want %q in\n%s", c[0], want, out)
					}
				}
			}
			rogueRun(t, dir, "", exitDone, "apply", "--auto-approve", "--cycles", "1")
			loopSound(t, dir, true)
			if v := loopVerdicts(t, dir); v != "PROMOTE" {
				t.Errorf("the cycle came to %q", v)
			}
		})
	}
}

// rogueChains are faults, each with where the error is and what it says, in the order in which a cycle comes to them.
func rogueChains() map[string][][3]string {
	const collector, evaluator, verifier = "in collector rogue, Collect", "in evaluator rogue, ", "in verifier rogue, Verify"
	const generator, filter, trainer, exporter = "in generator rogue, ", "in filter rogue, Filter", "in trainer rogue, Train", "in exporter rogue"
	return map[string][][3]string{
		"a": {
			{"collector-id", collector, `record 0 of a batch has the id "mine"`},
			{"evaluator-twice", evaluator + "Prepare", `have the id`},
			{"generator-endless", generator + "Generate, after ", "it gives at least 201 samples where 200 are due"},
			{"verifier-swapped", verifier, "is due"},
			{"filter-swapped", filter, "is due"},
			{"trainer-falling", trainer, "a checkpoint of step"},
			{"exporter-absolute", exporter, `"/etc/passwd", which lies outside the directory of the call`},
			{"completion-swapped", generator + "Complete", "is due"},
			{"likelihood-NaN", generator + "Score", "a log-likelihood of NaN"},
			{"evaluator-NaN", evaluator + "Score", "accuracy NaN of question"},
		},
		"b": {
			{"collector-utf8", collector, "invalid UTF-8"},
			{"evaluator-split", evaluator + "Prepare", `a split called "../../gate"`},
			{"generator-few", generator + "Generate", "of 200 samples"},
			{"verifier-twice", verifier, "it answers more than it was asked"},
			{"filter-twice", filter, "it answers more than it was asked"},
			{"trainer-beyond", trainer, "and the window ends at"},
			{"exporter-link", exporter, "by way of a link"},
			{"completion-twice", generator + "Complete", "is due"},
			{"likelihood-above", generator + "Score", "a log-likelihood of 3"},
			{"evaluator-Inf", evaluator + "Score", "coherence +Inf of question"},
		},
		"c": {
			{"collector-large", collector, "and one has at most 3145728"},
			{"evaluator-utf8", evaluator + "Prepare", "invalid UTF-8"},
			{"generator-utf8", generator + "Generate", "invalid UTF-8"},
			{"verifier-few", verifier, "is due"},
			{"filter-none", filter, "it ends after 0 of"},
			{"trainer-twice", trainer, "a checkpoint of step"},
			{"exporter-pipe", exporter, "neither a file nor a directory"},
			{"completion-few", generator + "Complete, prompt", "it ends without an answer"},
			{"likelihood-tokens", generator + "Score", "a log-likelihood of 0 tokens"},
			{"evaluator-above", evaluator + "Score", "domain 1.5 of question"},
		},
		"d": {
			{"collector-huge", collector, "a message holds at most 4194304 bytes"},
			{"generator-tokens", generator + "Generate", "count of tokens"},
			{"verifier-none", verifier, "it ends after 0 of"},
			{"trainer-none", trainer, "it ends at step"},
			{"exporter-socket", exporter, "neither a file nor a directory"},
			{"exporter-name", exporter, `an output called "modle"`},
			{"completion-reason", generator + "Complete", `the reason "bored"`},
			{"likelihood-few", generator + "Score, prompt", "it ends after 3 of"},
			{"evaluator-missing", evaluator + "Score", "it scores"},
		},
		"e": {
			{"collector-cursor", collector, "a cursor of 3145728 bytes"},
			{"verifier-reason", verifier, `the reason "\x1b[31mred"`},
			{"trainer-up", trainer, "which lies outside the directory of the call"},
			{"trainer-gone", trainer, "is not there"},
			{"exporter-inner", exporter, "a is a symbolic link"},
			{"exporter-innerpipe", exporter, "a is a pipe"},
			{"exporter-twice", exporter, `the output "model" twice`},
			{"likelihood-twice", generator + "Score", "is due"},
			{"evaluator-swapped", evaluator + "Score", "is due"},
		},
		"f": {
			{"collector-empty", collector, "has neither text nor messages"},
			{"exporter-changing", exporter, "its output cannot be taken"},
			{"exporter-none", exporter, `it ends without an output called "model"`},
			{"exporter-utf8", exporter, "invalid UTF-8"},
			{"evaluator-more", evaluator + "Score", "it answers more than it was asked"},
		},
		"g": {
			{"collector-idle", collector, "messages in a row that bring nothing"},
			{"verifier-utf8", verifier, "invalid UTF-8"},
			{"filter-utf8", filter, "invalid UTF-8"},
			{"trainer-link", trainer, "by way of a link"},
			{"trainer-pipe", trainer, "neither a file nor a directory"},
			{"trainer-socket", trainer, "neither a file nor a directory"},
			{"trainer-device", trainer, "neither a file nor a directory"},
			{"trainer-inner", "in trainer rogue", "a is a symbolic link"},
			{"exporter-device", exporter, "neither a file nor a directory"},
			{"completion-utf8", generator + "Complete", "invalid UTF-8"},
			{"scores-utf8", evaluator + "Score", "invalid UTF-8"},
		},
		"h": {
			{"generator-idle", generator + "Generate", "messages in a row that bring nothing"},
			{"verifier-idle", verifier, "messages in a row that bring nothing"},
			{"filter-idle", filter, "messages in a row that bring nothing"},
			{"trainer-innerpipe", "in trainer rogue", "a is a pipe"},
			{"trainer-innerdevice", "in trainer rogue", "a is a device"},
			{"trainer-utf8", trainer, "invalid UTF-8"},
			{"trainer-idle", trainer, "messages in a row that bring nothing"},
			{"exporter-innerdevice", exporter, "a is a device"},
			{"exporter-innersocket", exporter, "a is a socket"},
			{"exporter-idle", exporter, "messages in a row that bring nothing"},
			{"likelihood-utf8", generator + "Score", "invalid UTF-8"},
		},
	}
}

// rogueTarget is what an apply is to be limited to, so that nothing comes between a fault and its stage: the first actions of a
// cycle run side by side.
func rogueTarget(where string) string {
	for call, target := range map[string]string{"Collect": "domain.numbers.source.rogue.examples", "Prepare": "domain.numbers.benchmark", "Generate": "domain.numbers.template.question"} {
		if strings.Contains(where, ", "+call) {
			return target
		}
	}
	return ""
}

// TestRogueSays: what a plugin says is no breach, and is shown only as far as it can be.
func TestRogueSays(t *testing.T) {
	t.Parallel()
	dir := rogueProject(t)
	for _, c := range []struct {
		fault  string
		status int
		want   []string
	}{
		{"collector-error", exitError, []string{"Error: domain.numbers.source.rogue.examples: collector rogue: closed [2J  on  Mondays"}},
		{"collector-refuses", exitError, []string{"Error: domain.numbers.source.rogue.examples: collector rogue: Gone ]0;owned"}},
		{"collector-exit", exitError, []string{"plugin rogue 6.6.6 crashed (exit status 0) in collector rogue, Collect", "it was tried 3 times"}},
		{"collector-warnings", exitError, []string{"Look [2J ]0;owned  here", "It has more to say, which is not shown."}},
		{"validate-many", exitError, []string{"Hm [2J", "Plugin rogue says 49950 more of this kind"}},
	} {
		cmd := []string{"apply", "--auto-approve", "--target", "domain.numbers.source.rogue.examples"}
		if c.fault == "collector-warnings" || c.fault == "validate-many" {
			c.status = exitDone
		}
		out := rogueRun(t, dir, c.fault, c.status, cmd...)
		for _, want := range c.want {
			if !strings.Contains(out, want) {
				t.Errorf("%s: want %q in\n%s", c.fault, want, out)
			}
		}
	}
}

// TestRogueFigures: figures that are none are unavailable, to forecasts, views and the state; steps that are none end a plan.
func TestRogueFigures(t *testing.T) {
	t.Parallel()
	dir := rogueProject(t)
	for fault, want := range map[string]string{"estimate-NaN": "flop = NaN", "estimate-negative": "bytes_written = -1", "estimate-huge": "prompt_tokens = 1e+300"} {
		if out := rogueRun(t, dir, fault, exitError, "plan", "--json"); !strings.Contains(out, "trainer.rogue.student: plugin rogue 6.6.6 breaks the protocol in trainer rogue, Estimate: it estimates "+want) {
			t.Errorf("%s: the plan does not say so:\n%s", fault, out)
		}
	}
	if out := rogueRun(t, dir, "estimate-tokens", exitDone, "plan"); !strings.Contains(out, "breaks the protocol in generator rogue, Estimate: it estimates completion_tokens = +Inf") {
		t.Errorf("the plan does not say that a figure is unknown, and why:\n%s", out)
	}
	if out := rogueRun(t, dir, "estimate-records", exitError, "plan"); !strings.Contains(out, "plugin rogue 6.6.6 breaks the protocol in trainer rogue, Estimate: it estimates records = 18446744073709551615") {
		t.Errorf("estimate-records:\n%s", out)
	}
	out := rogueRun(t, dir, "trainer-NaN", exitDone, "apply", "--auto-approve", "--json", "--cycles", "1")
	for _, want := range []string{"loss is NaN after", "it counts as unavailable", "speed is -Inf", "loss unavailable"} {
		if !strings.Contains(out, want) {
			t.Errorf("trainer-NaN: want %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, "unsupported value") {
		t.Errorf("an event could not be written:\n%s", out)
	}
}

// TestRogueDescribes: a plugin that lies about what it is, or contradicts itself, is refused before anything runs.
func TestRogueDescribes(t *testing.T) {
	t.Parallel()
	for fault, want := range map[string]string{
		"handshake-crash":   "plugin rogue crashed (exit status 7): it ended before it was ready",
		"handshake-kill":    "plugin rogue crashed (signal: killed): it ended before it was ready",
		"info-utf8":         "plugin rogue breaks the protocol in plugin rogue, Info: failed to unmarshal the received message: string field contains invalid UTF-8",
		"validate-utf8":     "plugin rogue 6.6.6 breaks the protocol in ",
		"info-name":         `plugin rogue 6.6.6 breaks the protocol: it calls itself "fake"`,
		"info-version":      `plugin rogue breaks the protocol: it says that its version is "9999`,
		"info-twice":        "plugin rogue 6.6.6 breaks the protocol: it lists collector rogue twice",
		"info-core":         `plugin rogue 6.6.6 breaks the protocol: schema of collector "rogue": "for_each" belongs to the core`,
		"info-type":         `plugin rogue 6.6.6 breaks the protocol: schema of collector "rogue": attribute "`,
		"info-many":         "more than 512 attributes and blocks",
		"handshake-garbage": "plugin rogue breaks the protocol: it wrote \"Hello, \\x1b[31mI am no plugin.\" to standard output, where the handshake belongs",
		"handshake-endless": "plugin rogue breaks the protocol: it wrote \"xxxx",
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			dir := rogueProject(t)
			out := rogueRun(t, dir, fault, exitError, "validate")
			for _, want := range []string{want, "its executable: sha256:", "the report: .jupiter/crashes/", "What was recorded before is kept"} {
				if !strings.Contains(out, want) || len(out) > 6000 {
					t.Errorf("want %q in %d bytes:\n%.6000s", want, len(out), out)
				}
			}
			if rep := rogueReport(t, dir); rep.Plugin != "rogue" || rep.Checksum == "" || rep.Detail == "" && rep.Kind == "protocol" || rep.Kind == "crash" && rep.ExitCode == nil {
				t.Errorf("its report: %+v", rep)
			} else if fault == "handshake-crash" && (*rep.ExitCode != 7 || len(rep.Stderr) != 50 || rep.Stderr[49] != "last words 59") {
				t.Errorf("its report: %+v", rep)
			}
			rogueRun(t, dir, "", exitDone, "validate")
		})
	}
}

// rogueReport is the latest report of a project.
func rogueReport(t *testing.T, dir string) (rep runtime.Report) {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, ".jupiter", "crashes", "*.json"))
	if err != nil || len(all) == 0 {
		t.Fatalf("no report: %v", err)
	}
	if err := json.Unmarshal([]byte(loopRead(t, all[len(all)-1])), &rep); err != nil {
		t.Fatal(err)
	}
	return rep
}

// TestRogueStalls: a plugin that says nothing, or is suspended, is ended after timeouts.stall, and tried again.
func TestRogueStalls(t *testing.T) {
	t.Parallel()
	for fault, c := range map[string][3]string{
		"trainer-never":   {`trainer "rogue" "student" {`, "trainer rogue, Train", "it was tried 3 times"},
		"trainer-suspend": {`trainer "rogue" "student" {`, "trainer rogue, Train", "it was tried 3 times"},
		"verifier-never":  {`verifier "rogue" "exact" {`, "verifier rogue, Verify", "on 3 items in a row"},
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			dir := rogueProject(t, c[0], c[0]+"\n  timeouts {\n    stall = \"2s\"\n  }\n")
			out := rogueRun(t, dir, fault, exitError, "apply", "--auto-approve", "--cycles", "1")
			for _, want := range []string{"plugin rogue 6.6.6 stalled in " + c[1], "no message for 2s", c[2], "the next jupiter apply goes on from there"} {
				if !strings.Contains(out, want) {
					t.Errorf("%s: want %q in\n%s", fault, want, out)
				}
			}
			rogueRun(t, dir, "", exitDone, "apply", "--auto-approve", "--cycles", "1")
		})
	}
}

// TestRogueStays: whatever a plugin starts, and wherever that hides, nothing of it is left when the command has ended, or
// was killed. Noise on its pipes holds up nobody.
func TestRogueStays(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"collector-children", "collector-noise"} {
		dir := rogueProject(t)
		rogueRun(t, dir, fault, exitDone, "apply", "--auto-approve", "--target", "domain.numbers.source.rogue.examples")
		rogueGone(t, dir)
	}
	dir := rogueProject(t, "delay_ms         = var.delay_ms", "delay_ms         = 500")
	a := &applying{t: t, cmd: rogueCommand(t, dir, "collector-children", "apply", "--auto-approve", "--json")}
	a.begin()
	a.until("the training", of(runtime.Progressed, "trainer.rogue.student"))
	if len(rogueLeft(dir)) == 0 {
		t.Error("the plugin's children are not there: the test looks for the wrong thing")
	}
	if err := a.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = a.cmd.Wait()
	rogueGone(t, dir)
	loopSound(t, dir, true)
}

// TestRogueDeaf: a plugin that does not hear Stop is ended when the time to save is over; what it had saved stays.
func TestRogueDeaf(t *testing.T) {
	t.Parallel()
	const student = `trainer "rogue" "student" {`
	dir := rogueProject(t, student, student+"\n  timeouts {\n    stop = \"1s\"\n  }\n")
	a := &applying{t: t, cmd: rogueCommand(t, dir, "deaf", "apply", "--auto-approve", "--json")}
	a.begin()
	a.until("the training", of(runtime.Progressed, "trainer.rogue.student"))
	began := time.Now()
	a.signal(os.Interrupt)
	if code, last := a.end(); code != exitInterrupted || last.Outcome != runtime.OutcomeInterrupted || time.Since(began) > 20*time.Second {
		t.Errorf("exit status %d after %v, last line %+v\n%s", code, time.Since(began), last, &a.errs)
	}
	loopSound(t, dir, false)
	rogueGone(t, dir)
	rogueRun(t, dir, "", exitDone, "apply", "--auto-approve", "--cycles", "1")
}

// rogueLeft are the processes of a project's plugin and of its children.
func rogueLeft(dir string) (all []string) {
	procs, _ := filepath.Glob("/proc/[0-9]*")
	for _, p := range procs {
		line, _ := os.ReadFile(filepath.Join(p, "cmdline"))
		at, _ := os.Readlink(filepath.Join(p, "cwd"))
		if bytes.Contains(line, []byte("rogue-child-of-"+dir)) || at == dir && bytes.Contains(line, []byte("rogue-plugin")) {
			all = append(all, filepath.Base(p)+" "+string(bytes.ReplaceAll(line, []byte{0}, []byte{' '})))
		}
	}
	return all
}

func rogueGone(t *testing.T, dir string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		left := rogueLeft(dir)
		if len(left) == 0 {
			return
		}
		if time.Now().After(end) {
			t.Errorf("processes are left: %q", left)
			return
		}
	}
}
