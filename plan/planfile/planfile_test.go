package planfile

import (
	"archive/zip"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"jupiter/plan"
)

func sample() File {
	return File{
		Base: Base{Lineage: "l", Serial: 7, Config: "sha256:c", Module: "../x"},
		Plan: &plan.Plan{
			Cycles:   []*plan.CyclePlan{{Cycle: "a", Epoch: 2, Step: 10, MaxSteps: 30, Remaining: 2}},
			Changes:  []plan.Change{{Address: "trainer.t.s", Kind: plan.Train, Op: plan.Advance, Title: "steps", Reasons: []plan.Reason{{Code: plan.NextWindow, Names: []string{"window"}, Was: "1", Now: "2"}}}},
			Summary:  plan.Summary{Advance: 1},
			Envelope: plan.Envelope{Config: "sha256:c", Cycles: 1, Looks: 1, Promotion: "auto"},
		},
	}
}

// TestRoundTrip: what is read is what was written, and equal plans give equal bytes.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "p")
	if err := Write(path, sample()); err != nil {
		t.Fatal(err)
	}
	got, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	want := sample()
	want.Base.Format = Format
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(plan.CyclePlan{}, "Actions")); diff != "" {
		t.Errorf("read (-written +read):\n%s", diff)
	}
	again, err := Encode(sample())
	if err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(path); err != nil || !bytes.Equal(b, again) {
		t.Errorf("two encodings of one plan differ (%v)", err)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".plan-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("temporary files are left: %v (%v)", left, err)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	base := sample().Base
	for _, c := range []struct {
		name   string
		change func(*Base)
		says   string // "": nothing
	}{
		{"the same", func(*Base) {}, ""},
		{"moved elsewhere", func(b *Base) { b.Module = "." }, ""},
		{"serial", func(b *Base) { b.Serial++ }, "the state has changed (serial 7, now 8)"},
		{"lineage", func(b *Base) { b.Lineage = "m" }, "it was made for another state"},
		{"configuration", func(b *Base) { b.Config = "sha256:d" }, "the configuration has changed"},
		{"outside", func(b *Base) { b.Outside = "sha256:e" }, "a source, a file to import or a served model is not what it was"},
		{"both", func(b *Base) { b.Serial, b.Config = 9, "" }, "(serial 7, now 9); the configuration"},
	} {
		now := base
		c.change(&now)
		err := base.Check(now)
		var stale *StaleError
		if c.says == "" && err != nil || c.says != "" && (!errors.As(err, &stale) || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.says)
		}
	}
	fresh := Base{}
	if err := fresh.Check(base); err == nil || !strings.Contains(err.Error(), "there was no state when it was made") {
		t.Errorf("a plan from before the first apply: %v", err)
	}
}

// archive makes a zip archive of members.
func archive(t *testing.T, members ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(members); i += 2 {
		w, err := z.Create(members[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(members[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		bytes []byte
		not   bool // ErrNot
		says  string
	}{
		{"nothing", nil, true, "not a saved plan"},
		{"text", []byte("trainer {}"), true, "not a saved plan"},
		{"another archive", archive(t, "a", "b"), true, "base.json"},
		{"no plan", archive(t, "base.json", `{"format":1}`), true, "plan.json"},
		{"null", archive(t, "base.json", `{"format":1}`, "plan.json", "null"), true, "it holds no plan"},
		{"a null cycle", archive(t, "base.json", `{"format":1}`, "plan.json", `{"cycles":[null]}`), true, "it holds no plan"},
		{"garbage within", archive(t, "base.json", `{"format":1}`, "plan.json", "{"), true, "plan.json"},
		{"newer", archive(t, "base.json", `{"format":2}`, "plan.json", "{}"), false, "has format 2, this version knows format 1"},
	} {
		_, err := Decode(c.bytes)
		if err == nil || errors.Is(err, ErrNot) != c.not || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", c.name, err, c.says)
		}
	}
}

// TestReadIsBounded: a file that never ends, or is larger than any plan, is refused before it fills the memory.
func TestReadIsBounded(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, maxFile+1); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path); !errors.Is(err, ErrNot) || !strings.Contains(err.Error(), "larger than 128 MiB") {
		t.Errorf("a large file: %v", err)
	}
}
