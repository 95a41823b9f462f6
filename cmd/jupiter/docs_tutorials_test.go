package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// tutorial says whether a document is one that is followed from its beginning to its end.
func (d document) tutorial() bool { return strings.HasPrefix(d.path, "docs/tutorials/") }

// tutorialFile is the first line of a block that is a file, or takes the place of a text in one.
var tutorialFile = regexp.MustCompile(`^(?:#|//) (\S+\.\w+)(?:, in place of: (.+))?\n\n?`)

// TestTutorials does what each tutorial says, in its order, in an empty directory. A block of sh is run; one of another
// language is a file, whose name is in its first line; one of none is what the commands above it say, line by line and with
// any figures, but for the lines that it leaves out.
func TestTutorials(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes minutes")
	}
	t.Parallel()
	seen := 0
	for _, d := range documents(t) {
		if !d.tutorial() {
			continue
		}
		seen++
		t.Run(filepath.Base(d.path), func(t *testing.T) {
			t.Parallel()
			follow(t, d, t.TempDir())
		})
	}
	if seen == 0 {
		t.Error("there is no tutorial")
	}
}

func follow(t *testing.T, d document, dir string) {
	said := ""
	env := append(os.Environ(), "XDG_CACHE_HOME="+t.TempDir(), "GOCACHE="+goCaches()[0], "PIP_DISABLE_PIP_VERSION_CHECK=1")
	for _, b := range d.blocks {
		m := tutorialFile.FindStringSubmatch(b.text)
		switch {
		case b.lang == "sh":
			if strings.Contains(b.text, "pip install") {
				if err := packageIndex(t); err != nil {
					t.Skipf("NOT TESTED, %s FROM LINE %d ON: there is no Python 3.10 with pip and a package index: %v", d.path, b.line, err)
				}
			}
			cmd := exec.Command("sh", "-euc", b.text)
			cmd.Dir, cmd.Env = dir, env
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%s:%d: %v\n%s", d.path, b.line, err, out)
			}
			said = string(out)
		case b.lang == "":
			showsInOrder(t, b, said)
		case m == nil:
			t.Errorf("%s:%d: the block names no file", d.path, b.line)
		case m[2] != "":
			path, text := filepath.Join(dir, filepath.FromSlash(m[1])), strings.TrimSpace(b.text[len(m[0]):])
			docFile(t, path, loopEdit(t, loopRead(t, path), m[2], text))
		default:
			docFile(t, filepath.Join(dir, filepath.FromSlash(m[1])), b.text[len(m[0]):])
		}
	}
	if out, err := exec.Command("gofmt", "-d", dir).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%s: not formatted: %v\n%s", d.path, err, out)
	}
}

var anyFigure = regexp.MustCompile(`[0-9]+`)

// showsInOrder checks that lines of output are there, whatever their figures are and what stands behind them.
func showsInOrder(t *testing.T, b fenced, said string) {
	t.Helper()
	plain := func(s string) string { return anyFigure.ReplaceAllString(strings.Join(strings.Fields(s), " "), "0") }
	rest := plain(said)
	for _, line := range strings.Split(strings.TrimSpace(b.text), "\n") {
		_, after, found := strings.Cut(rest, plain(line))
		if !found {
			t.Errorf("%s:%d: no line\n%s\nor not in this place:\n%s", b.doc, b.line, line, said)
			return
		}
		rest = after
	}
}

// packageIndex says why packages in Python cannot be installed.
func packageIndex(t *testing.T) error {
	env, err := pythonEnvironment()
	if err != nil {
		return err
	}
	out, err := exec.Command(filepath.Join(env, "bin", "python"), "-m", "pip", "download", "--quiet", "--no-deps", "--dest", t.TempDir(), "hatchling>=1.25").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}
