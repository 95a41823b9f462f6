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

// conforms holds a plugin to every rule of the protocol.
func conforms(t *testing.T, program string) {
	t.Helper()
	out, err := exec.Command("jupiter", "plugin", "conformance", program).CombinedOutput()
	if err != nil || !strings.Contains(string(out), " 0 broken") {
		t.Errorf("%s: %v\n%s", filepath.Base(program), err, out)
	}
}

// snippets are a README's blocks of a language.
func snippets(t *testing.T, readme, language string) (all []string) {
	t.Helper()
	text := loopRead(t, filepath.Join(repository, filepath.FromSlash(readme)))
	for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	if len(all) != 3 {
		t.Fatalf("%s has %d blocks of %s, want a filter, its test and a generator", readme, len(all), language)
	}
	return all
}

// TestReadmeInGo: the plugins that the SDK's README shows keep the rules.
func TestReadmeInGo(t *testing.T) {
	t.Parallel()
	blocks, root := snippets(t, "plugins/sdk/README.md", "go"), t.TempDir()
	sdk, err := filepath.Abs(repository)
	if err != nil {
		t.Fatal(err)
	}
	module := filepath.Join(repository, "examples", "plugins", "go-wordfilter") // what an author's go.mod requires
	docFile(t, filepath.Join(root, "go.mod"), strings.Replace(loopRead(t, filepath.Join(module, "go.mod")), "=> ../../..", "=> "+sdk, 1))
	docFile(t, filepath.Join(root, "go.sum"), loopRead(t, filepath.Join(module, "go.sum")))
	for name, text := range map[string]string{"shout": blocks[0], "parrot": blocks[2]} {
		docFile(t, filepath.Join(root, name, "main.go"), text)
		inDir(t, root, "go", "build", "-o", filepath.Join(root, "bin", name), "./"+name)
		conforms(t, filepath.Join(root, "bin", name))
	}
}

// TestReadmeInPython: so do those of the SDK for Python.
func TestReadmeInPython(t *testing.T) {
	t.Parallel()
	env, err := pythonEnvironment()
	if err != nil {
		t.Skipf("NOT TESTED, THE PLUGINS OF THE README IN PYTHON: their environment cannot be made: %v", err)
	}
	blocks, root := snippets(t, "plugins/sdk/python/README.md", "python"), t.TempDir()
	for name, text := range map[string]string{"shout": blocks[0], "parrot": blocks[2]} {
		program := filepath.Join(root, name)
		script := fmt.Sprintf("#!%s/bin/python\n%s\n\nmain()\n", env, text)
		if err := os.WriteFile(program, []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		conforms(t, program)
	}
}
