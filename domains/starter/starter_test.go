package starter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
)

type line struct {
	Prompt, Text, Reference, Key string
	Distractors                  []string
}

func read(t *testing.T, files map[string][]byte, name string) (out []line) {
	t.Helper()
	for _, b := range bytes.Split(bytes.TrimSpace(files[name]), []byte("\n")) {
		var l line
		if err := json.Unmarshal(b, &l); err != nil {
			t.Fatalf("%s: %s: %v", name, b, err)
		}
		out = append(out, l)
	}
	return out
}

// TestData: every answer is right, every distractor wrong, no question is in two places, and the template asks none of
// them.
func TestData(t *testing.T) {
	t.Parallel()
	o := Options{Name: "colours", Language: "en", Dir: "./domains/colours"}
	files := Domain(o)
	seen := map[string]string{}
	d := deal()
	for _, a := range d.left {
		for _, b := range d.right {
			seen[pair{a, b}.key()] = "the template"
		}
	}
	if len(seen) != 2025 {
		t.Errorf("the template asks %d questions, want 2025", len(seen))
	}
	for name, want := range map[string]int{"real.jsonl": 600, "validation.jsonl": 100, "dev.jsonl": 200, "gate.jsonl": 500} {
		lines := read(t, files, name)
		if len(lines) != want {
			t.Errorf("%s has %d lines, want %d", name, len(lines), want)
		}
		for _, l := range lines {
			var a, b int
			if _, err := fmt.Sscanf(l.Prompt, "%d or %d, the larger is", &a, &b); err != nil {
				t.Fatalf("%s: %q: %v", name, l.Prompt, err)
			}
			right := " " + strconv.Itoa(max(a, b))
			if l.Text+l.Reference != right || (name == "real.jsonl") != (l.Reference == "") {
				t.Errorf("%s: %+v, and the answer is %q", name, l, right)
			}
			if name != "real.jsonl" && (len(l.Distractors) != 3 || slices.Contains(l.Distractors, right)) {
				t.Errorf("%s: %+v", name, l)
			}
			key := pair{a, b}.key()
			if other := seen[key]; other != "" {
				t.Errorf("%q is in %s and in %s", key, other, name)
			}
			seen[key] = name
		}
	}
	again := Domain(o)
	for name, b := range files {
		if !bytes.Equal(b, again[name]) {
			t.Errorf("%s is not the same each time", name)
		}
	}
	for name, b := range map[string][]byte{"domain.jupiter.hcl": files["domain.jupiter.hcl"], "README.md": files["README.md"], "the plan": Plan(o)} {
		if s := string(b); strings.Contains(s, "<<") || strings.Contains(s, "<no value>") || !strings.Contains(s, "colours") {
			t.Errorf("%s is not filled in:\n%s", name, s)
		}
	}
}
