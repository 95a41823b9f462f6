package sdk_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReadme: the programs of the README are whole and as short as it should be, the test in it passes, and all are
// laid out by gofmt.
func TestReadme(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
	if len(blocks) != 3 {
		t.Fatalf("%d blocks of Go", len(blocks))
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name string, text []byte) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, text, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	for i, f := range []struct {
		name  string
		below int // lines
	}{{"filter/main.go", 40}, {"filter/main_test.go", 50}, {"generator/main.go", 80}} {
		text := blocks[i][1]
		if n := strings.Count(text, "\n"); n >= f.below {
			t.Errorf("%s has %d lines, want less than %d", f.name, n, f.below)
		}
		write(f.name, []byte(text))
	}
	// A module as an author has it, with what the example plugin of another module requires.
	for _, name := range []string{"go.mod", "go.sum"} {
		b, err := os.ReadFile("../../examples/plugins/go-wordfilter/" + name)
		if err != nil {
			t.Fatal(err)
		}
		write(name, bytes.Replace(b, []byte("=> ../../.."), []byte("=> "+root), 1))
	}
	cmd := exec.Command("go", "test", "./...")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := exec.Command("gofmt", "-l", dir).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("gofmt: %v\n%s", err, out)
	}
}
