package runtime

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"jupiter/plan/config"
	"jupiter/runtime/questions"
)

// TestSubjects: a subject has no sentence that an item is about, is of no document that is held out, and is no longer than asked.
func TestSubjects(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	docs := filepath.Join(dir, "docs")
	if err := os.Mkdir(docs, 0o755); err != nil {
		t.Fatal(err)
	}
	var names []string
	for i := range 12 {
		name := fmt.Sprintf("canal%d.md", i)
		text := fmt.Sprintf("# Canal %d\n\nThe canal of place number %d was begun by an engineer whose name nobody in the town remembers today. Été après été it was dug.\n", i, i)
		if err := os.WriteFile(filepath.Join(docs, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	b := &config.Build{Documents: []string{docs}, Written: []string{"docs"}, Directory: dir, HeldOut: 0.3}
	if _, err := Subjects(b, 100, 200); err == nil {
		t.Error("there is no benchmark, and no error")
	}
	held := questions.HeldOut(names, b.HeldOut, 0)
	asked := -1 // a document that an item is about
	for i, n := range names {
		if !held[n] {
			asked = i
		}
	}
	item := Candidate{Split: "gate", Status: StatusNew, Candidate: questions.Candidate{ID: "a", Question: fmt.Sprintf("The canal of place number %d was begun by an engineer whose name nobody in the town remembers ____", asked), Answer: "today"}}
	if err := WriteCandidates(dir, []Candidate{item}); err != nil {
		t.Fatal(err)
	}
	all, err := Subjects(b, 100, 200)
	if err != nil {
		t.Fatal(err)
	}
	if want := len(names) - len(held); len(all) != want {
		t.Errorf("%d subjects, want %d", len(all), want)
	}
	seen := ""
	for _, s := range all {
		heading, rest, _ := strings.Cut(s, "\n")
		if heading == fmt.Sprintf("Canal %d", asked) {
			seen = rest
		}
		for i, n := range names {
			if held[n] && heading == fmt.Sprintf("Canal %d", i) {
				t.Errorf("%q is of a document that is held out", s)
			}
		}
	}
	if strings.Contains(seen, "engineer") || !strings.Contains(seen, "dug") {
		t.Errorf("of the document with an item: %q", seen)
	}
	short, err := Subjects(b, 3, 5)
	if err != nil || len(short) > 3 {
		t.Fatalf("%q, %v", short, err)
	}
	for _, s := range short {
		if len(s) > 5 || !utf8.ValidString(s) {
			t.Errorf("%q is longer than 5 bytes", s)
		}
	}
}
