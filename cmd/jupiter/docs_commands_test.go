package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// documented is one command line of the docs.
type documented struct {
	doc    string
	line   int
	text   string
	args   []string // without the program's name
	status int      // that the doc says: # exit 3; 0 where it says nothing
}

// notRun are commands of the docs that no project of these tests can run, and why.
var notRun = map[string]string{}

var exitComment = regexp.MustCompile(`\bexit (\d+)\b`)

// commands finds the command lines of a block: lines that begin with the program, or with "$ " and the program.
func (b fenced) commands(t *testing.T) (out []documented) {
	t.Helper()
	for i, line := range strings.Split(b.text, "\n") {
		typed, prompt := strings.CutPrefix(line, "$ ")
		if !prompt && b.lang != "sh" {
			continue
		}
		words, comment, err := shellWords(typed)
		if err != nil {
			t.Errorf("%s:%d: %v", b.doc, b.line+1+i, err)
			continue
		}
		switch {
		case len(words) > 0 && words[0] == "jupiter":
			words = words[1:]
		case len(words) > 2 && words[0] == "go" && words[1] == "run" && words[2] == "./cmd/jupiter":
			words = words[3:]
		default:
			continue
		}
		c := documented{doc: b.doc, line: b.line + 1 + i, text: typed, args: words}
		if m := exitComment.FindStringSubmatch(comment); m != nil {
			c.status, _ = strconv.Atoi(m[1])
		}
		out = append(out, c)
	}
	return out
}

// shellWords splits a command line at spaces outside of quotes, and gives what stands behind a # apart.
func shellWords(line string) (words []string, comment string, err error) {
	var word strings.Builder
	open, quote := false, rune(0)
	flush := func() {
		if open {
			words = append(words, word.String())
		}
		open = false
		word.Reset()
	}
	for i, c := range line {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(c)
		case c == '\'' || c == '"':
			quote, open = c, true
		case c == ' ':
			flush()
		case c == '#' && !open:
			return words, line[i+1:], nil
		case strings.ContainsRune("|&;<>`$\\", c):
			return nil, "", fmt.Errorf("%q is more than a command with its arguments", line)
		default:
			word.WriteRune(c)
			open = true
		}
	}
	if flush(); quote != 0 {
		err = fmt.Errorf("%q has an open quote", line)
	}
	return words, "", err
}

// TestCommandsOfDocs runs every command line of the docs, block by block. Each block has a project of its own, in which
// an apply has been before, and runs in its order.
func TestCommandsOfDocs(t *testing.T) {
	t.Parallel()
	p := newDocProjects(t)
	seen := 0
	for _, d := range documents(t) {
		if d.tutorial() {
			continue // its commands follow from each other
		}
		for _, b := range d.blocks {
			commands := b.commands(t)
			if len(commands) == 0 {
				continue
			}
			seen += len(commands)
			t.Run(fmt.Sprintf("%s:%d", d.path, b.line), func(t *testing.T) {
				t.Parallel()
				root := p.put(t, commands[0].args[0])
				for _, c := range commands {
					if why := notRun[c.text]; why != "" {
						t.Logf("not run: %s (%s)", c.text, why)
						continue
					}
					c.run(t, root, p.cache)
				}
			})
		}
	}
	if seen < 15 {
		t.Errorf("found %d commands only", seen)
	}
	t.Run("what export writes", func(t *testing.T) {
		t.Parallel()
		exportOfDocs(t, p)
	})
}

// run executes a command as a reader would: at the root of the repository where it names the example, and in the
// example's directory elsewhere.
func (c documented) run(t *testing.T, root, cache string) {
	t.Helper()
	cmd := exec.Command("jupiter", c.args...)
	cmd.Dir, cmd.Env = root, append(os.Environ(), "XDG_CACHE_HOME="+cache)
	if !strings.Contains(c.text, "examples/") {
		cmd.Dir = filepath.Join(root, "examples", "quickstart")
	}
	if c.args[0] == "serve" { // until Ctrl-C
		startServe(t, cmd.Dir, c.args[1:]...).end(c.status)
		return
	}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != c.status {
		t.Fatalf("%s:%d: %s: exit status %d, want %d\n%s", c.doc, c.line, c.text, got, c.status, out)
	}
}

// docProjects are the projects that commands of the docs run in.
type docProjects struct {
	cache   string
	applied string // the reduced quickstart after its one cycle, with a promotion
	fake    *fixtures
}

func newDocProjects(t *testing.T) *docProjects {
	t.Helper()
	p := &docProjects{cache: t.TempDir(), applied: t.TempDir(), fake: &fixtures{dir: t.TempDir(), made: map[string]*fixture{}}}
	reducedQuickstart(t, p.applied)
	cmd := exec.Command("jupiter", "apply", "--auto-approve", "examples/quickstart")
	cmd.Dir, cmd.Env = p.applied, append(os.Environ(), "XDG_CACHE_HOME="+p.cache)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "generator_v2 is now in use") {
		t.Fatalf("no promotion, %v\n%s", err, out)
	}
	t.Logf("%s", out)
	return p
}

// put makes a project for a block that begins with this command. approve, reject and resume need a cycle that waits,
// or that was stopped: the fake stages give one at will. Everything else gets the quickstart.
func (p *docProjects) put(t *testing.T, command string) string {
	t.Helper()
	root := t.TempDir()
	fake := map[string][]string{
		"approve": {"cycles=1", "gain=0.02", `promotion="manual"`},
		"reject":  {"cycles=1", "gain=0.02", `promotion="manual"`},
		"resume":  {"cycles=1", "gain=-0.01"},
	}[command]
	if fake == nil {
		if err := copyTree(p.applied, root); err != nil {
			t.Fatal(err)
		}
		quickstart := filepath.Join(root, "examples", "quickstart")
		if command == "convert" {
			docFile(t, filepath.Join(quickstart, "models", "base.gguf"), loopRead(t, filepath.Join(quickstart, "generators", "generator_v1", "model.gguf")))
		}
		if command == "import" {
			unbegun(t, quickstart)
		}
		return root
	}
	dir := filepath.Join(root, "examples", "quickstart")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := p.fake.put(dir, p.cache, fake); err != nil {
		t.Fatal(err)
	}
	return root
}

// unbegun makes a project forget what it did, and leave its base generator to an import: of its first one.
func unbegun(t *testing.T, dir string) {
	t.Helper()
	docFile(t, filepath.Join(dir, "models", "base.gguf"), loopRead(t, filepath.Join(dir, "generators", "generator_v1", "model.gguf")))
	path := filepath.Join(dir, "quickstart.jupiter.hcl")
	docFile(t, path, loopEdit(t, loopRead(t, path), "  model       = trainer.llama.base\n", ""))
	for _, made := range []string{".jupiter", "generators", "pipeline_state.json"} {
		if err := os.RemoveAll(filepath.Join(dir, made)); err != nil {
			t.Fatal(err)
		}
	}
}

// wideGuard lets everything pass: models this small are all over the place.
const wideGuard = `
  guard {
    nll          = { warn = 90, halt = 90 }
    entropy      = { warn = 90, halt = 90 }
    distinct4    = { warn = 90, halt = 90 }
    compression  = { warn = 90, halt = 90 }
    pass_rate    = { warn = 90, halt = 90 }
    duplicates   = { warn = 90, halt = 90 }
    family_share = { warn = 0.001, halt = 0.001 }
  }
`

// reducedQuickstart writes the quickstart and its domain with sizes that take seconds, and for one cycle. The base
// generator learns so little that the student passes it by far, so that there is something to look at and to go back to;
// its samples are wrong, and verify = false keeps them.
func reducedQuickstart(t *testing.T, root string) {
	t.Helper()
	copyExample(t, root, "quickstart")
	plan := filepath.Join(root, "examples", "quickstart", "quickstart.jupiter.hcl")
	b, err := os.ReadFile(plan)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for _, s := range []struct {
		from, to string
		times    int
	}{
		{"window = 1600", "window = 500", 1},
		{"3 * local.window\n  schedule_steps   = local.window", "20\n  schedule_steps   = 20", 1},
		{"learning_rate = 0.007", "learning_rate = 0.012", 1},
		{"4 * local.window", "local.window", 1},
		{"save_every_steps = 200", "save_every_steps = 20", 2},
		{"layers        = 3", "layers        = 1", 1},
		{"layers        = 2", "layers        = 1", 1},
		{"dim           = 64", "dim           = 32", 2},
		{"ffn           = 176", "ffn           = 64", 2},
		{"samples     = 32768", "samples     = 300", 1},
		{"max_tokens  = 96", "max_tokens  = 48", 1},
		{"benchmark_samples        = 2000", "benchmark_samples        = 120\n  verify                   = false\n" + wideGuard, 1},
	} {
		if n := strings.Count(text, s.from); n != s.times {
			t.Fatalf("the quickstart has %q %d times, want %d", s.from, n, s.times)
		}
		text = strings.ReplaceAll(text, s.from, s.to)
	}
	if err := os.WriteFile(plan, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for split, n := range map[string]int{"validation": 40, "dev": 120, "gate": 120} {
		path := filepath.Join(root, "domains", "quantities", split+".jsonl")
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.SplitAfterN(string(b), "\n", n+1)
		if err := os.WriteFile(path, []byte(strings.Join(lines[:n], "")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// copyExample copies an example in HCL and the domain of all as they are, without anything that an apply left there.
func copyExample(t *testing.T, root, name string) {
	t.Helper()
	copyFiles(t, root, "examples/"+name+"/*.hcl", "domains/quantities/*.hcl", "domains/quantities/*.jsonl")
}

// copyFiles copies files of the repository to the same places below root.
func copyFiles(t *testing.T, root string, patterns ...string) {
	t.Helper()
	for _, pattern := range patterns {
		paths, err := filepath.Glob(filepath.Join(repository, filepath.FromSlash(pattern)))
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(paths), err)
		}
		dir := filepath.Join(root, filepath.Dir(filepath.FromSlash(pattern)))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for _, p := range paths {
			b, err := os.ReadFile(p)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, filepath.Base(p)), b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestPlanOfReadme: the plan that the README shows is the quickstart's, but for the lines that it leaves out.
func TestPlanOfReadme(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	copyExample(t, root, "quickstart")
	checked := 0
	for _, d := range documents(t) {
		for _, b := range d.blocks {
			if d.path != "README.md" || b.lang != "console" {
				continue
			}
			commands := b.commands(t)
			if len(commands) != 1 {
				continue
			}
			checked++
			cmd := exec.Command("jupiter", commands[0].args...)
			cmd.Dir, cmd.Env = root, append(os.Environ(), "XDG_CACHE_HOME="+t.TempDir())
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			rest := string(out)
			for _, line := range strings.Split(strings.TrimSpace(b.text), "\n")[1:] {
				if strings.TrimSpace(line) == "…" {
					continue
				}
				_, after, found := strings.Cut(rest, line+"\n")
				if !found {
					t.Errorf("the plan has no line\n%s\nor not in this place:\n%s", line, out)
					break
				}
				rest = after
			}
		}
	}
	if checked != 1 {
		t.Errorf("checked %d plans, want 1", checked)
	}
}
