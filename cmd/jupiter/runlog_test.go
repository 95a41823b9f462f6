package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jupiter/state"
)

// TestLogFollowed: who follows a log that is put aside on the way sees each line once, in order.
func TestLogFollowed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Mkdir(logDir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	log, err := openRotating(runFile(dir, "r", logSuffix), runFile(dir, "r", fullSuffix), 10)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	write := func(s string) {
		if _, err := log.Write([]byte(s)); err != nil {
			t.Fatal(err)
		}
	}
	run := &watched{dir, state.Run{ID: "r"}}
	f, err := run.file(logSuffix)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	l := &followed{watched: run, out: &out, f: f}
	defer func() { l.f.Close() }()
	write("one\n")
	if err := l.begin(0); err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"two\n", "three\n", "four\n", "five\n", "six\n"} {
		write(s)
		if _, err := l.news(); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := out.String(), "one\ntwo\nthree\nfour\nfive\nsix\n"; got != want {
		t.Errorf("followed %q, want %q", got, want)
	}
	full, err := os.ReadFile(runFile(dir, "r", fullSuffix))
	if err != nil || string(full) != "four\nfive\n" {
		t.Errorf("put aside: %q, %v", full, err)
	}
	out.Reset()
	late := &followed{watched: run, out: &out, f: mustOpen(t, runFile(dir, "r", logSuffix))}
	defer func() { late.f.Close() }()
	if err := late.begin(3); err != nil || out.String() != "four\nfive\nsix\n" {
		t.Errorf("the last three lines: %q, %v", &out, err)
	}
}

func mustOpen(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestLastLines(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		n    int
		want string
	}{
		{"a\nb\nc\n", 0, "a\nb\nc\n"},
		{"a\nb\nc\n", 1, "c\n"},
		{"a\nb\nc\n", 2, "b\nc\n"},
		{"a\nb\nc\n", 3, "a\nb\nc\n"},
		{"a\nb\nc\n", 9, "a\nb\nc\n"},
		{"a\nb", 1, "b"},
		{"\n\n", 1, "\n"},
		{"", 2, ""},
	} {
		if got := string(lastLines([]byte(c.text), c.n)); got != c.want {
			t.Errorf("the last %d of %q: %q, want %q", c.n, c.text, got, c.want)
		}
	}
}

// TestPruneLogs: the files of the last runs stay, and what is no run's.
func TestPruneLogs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := pruneLogs(dir, 1); err != nil {
		t.Errorf("without a directory: %v", err)
	}
	if err := os.Mkdir(logDir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"20260101T000000.000Z-aa.log", "20260101T000000.000Z-aa.jsonl", "20260102T000000.000Z-bb.log", "20260102T000000.000Z-bb.log.1", "20260103T000000.000Z-cc.now", "notes.txt"} {
		if err := os.WriteFile(filepath.Join(logDir(dir), name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := pruneLogs(dir, 2); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(logDir(dir))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	want := []string{"20260102T000000.000Z-bb.log", "20260102T000000.000Z-bb.log.1", "20260103T000000.000Z-cc.now", "notes.txt"}
	if slices.Sort(names); cmp.Diff(want, names) != "" {
		t.Error(cmp.Diff(want, names))
	}
}

// TestLinesInParts: a line counts once its end is there.
func TestLinesInParts(t *testing.T) {
	t.Parallel()
	var file bytes.Buffer
	l := newLines(&file)
	for _, step := range []struct{ write, want string }{{"", ""}, {"ab", ""}, {"c\nd", "abc"}, {"", ""}, {"e\n", "de"}} {
		file.WriteString(step.write)
		line, ok, err := l.next()
		if err != nil || ok != (step.want != "") || string(line) != step.want {
			t.Errorf("after %q: %q %t %v, want %q", step.write, line, ok, err, step.want)
		}
	}
}
