package history

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jupiter/plan/forecast"
)

func sample(n int) Sample {
	return Sample{At: time.Date(2026, 10, 1, 0, 0, n, 0, time.UTC), Host: "lab", CPUs: 2, Work: forecast.Work{Stage: "train x", Items: float64(n)}, Seconds: float64(n)}
}

func add(t *testing.T, h File, s Sample) {
	t.Helper()
	if err := h.Add(s); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, h File) []Sample {
	t.Helper()
	all, err := h.Read("lab", 2)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestNewestFirst: a history of this machine alone, without what cannot be read.
func TestNewestFirst(t *testing.T) {
	t.Parallel()
	h := File{filepath.Join(t.TempDir(), "a", "b", "history.jsonl")}
	if got := read(t, h); got != nil {
		t.Errorf("no file has %v", got)
	}
	add(t, h, sample(1))
	other, more := sample(2), sample(3)
	other.Host, more.CPUs = "elsewhere", 4
	add(t, h, other)
	add(t, h, more)
	f, err := os.OpenFile(h.Path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(f, "{}\n{\"at\":\"20") // a line of another kind, and one that a crash cut short
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	add(t, h, sample(4))
	if d := cmp.Diff([]Sample{sample(4), sample(1)}, read(t, h)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestBounded: the oldest go, several writers lose nothing.
func TestBounded(t *testing.T) {
	t.Parallel()
	h := File{filepath.Join(t.TempDir(), "history.jsonl")}
	var old bytes.Buffer
	for range Kept + Kept/4 {
		old.WriteString(`{"host":"lab","cpus":2,"work":{"stage":"old"},"seconds":1}` + "\n")
	}
	if err := os.WriteFile(h.Path, old.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for i := range 5 {
				if err := h.Add(sample(5*w + i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	b, err := os.ReadFile(h.Path)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(b, []byte{'\n'}); n != Kept+19 {
		t.Errorf("%d lines, want %d after the oldest were left out once", n, Kept+19)
	}
	got := read(t, h)
	if len(got) != Kept || got[19].Work.Stage != "train x" || got[20].Work.Stage != "old" {
		t.Errorf("%d samples, of which the 20th is of %q", len(got), got[19].Work.Stage)
	}
}
