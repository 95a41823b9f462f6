package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
)

// A pupilmaster is a server that writes questions about the documents of towns, and answers them.
type pupilmaster struct {
	*httptest.Server
	mode  string // right, refuses, repeats, disagrees, writes: something about anything
	delay time.Duration

	mu    sync.Mutex
	times map[string]int // asked, by prompt
	asked int
	reach int // after so many answers at is called, once
	at    func()
}

func newPupilmaster(mode string) *pupilmaster {
	p := &pupilmaster{mode: mode, times: map[string]int{}}
	p.Server = httptest.NewServer(http.HandlerFunc(p.serve))
	return p
}

func (p *pupilmaster) serve(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		fmt.Fprint(w, `{"data":[{"id":"large","owned_by":"somebody"}]}`)
		return
	}
	var q struct{ Messages []struct{ Content string } }
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil || len(q.Messages) == 0 {
		http.Error(w, "no chat", http.StatusBadRequest)
		return
	}
	prompt := q.Messages[len(q.Messages)-1].Content
	time.Sleep(p.delay)
	p.mu.Lock()
	p.times[prompt]++
	p.asked++
	if p.asked == p.reach {
		p.at()
	}
	p.mu.Unlock()
	json.NewEncoder(w).Encode(map[string]any{"choices": []any{map[string]any{"message": map[string]any{"content": p.say(prompt)}, "finish_reason": "stop"}},
		"usage": map[string]any{"prompt_tokens": 30, "completion_tokens": 5}})
}

// amid is what stands between two texts.
func amid(text, from, to string) string {
	_, text, _ = strings.Cut(text, from)
	text, _, _ = strings.Cut(text, to)
	return text
}

func (p *pupilmaster) say(prompt string) string {
	year, place := amid(prompt, "in the year ", ","), amid(prompt, "Place ", "\n")
	switch {
	case p.mode == "writes":
		n := int(crc32.ChecksumIEEE([]byte(prompt)) >> 12)
		return fmt.Sprintf("Ask at %s for the key of %s, and go over the bridge of %s before the evening.", syllables(n), syllables(n/7), syllables(n/11))
	case p.mode == "refuses":
		return "I'm sorry, but I can't help with that."
	case strings.Contains(prompt, "exam questions") && p.mode == "repeats":
		return "Question: When was the old market moved?\nAnswer: " + year
	case strings.Contains(prompt, "exam questions"):
		return fmt.Sprintf("Here you are:\n\n**Question 1:** When was the market of %s moved?\n**Answer:** %s.", place, year)
	case p.mode == "disagrees":
		return "1066"
	case strings.Contains(prompt, "Fill in"):
		text, q, _ := strings.Cut(prompt, "\n\nFill in the blank with what the text has there.\n")
		before, _, _ := strings.Cut(q[strings.Index(q, "\n")+1:], "____")
		return strings.Fields(amid(text, before, "\n"))[0]
	}
	return "In " + year + "."
}

// towns writes documents, one a town, whose sentences have rare terms.
func towns(dir string, n int) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for i := range n {
		name := syllables(i)
		text := fmt.Sprintf("# Place %s\n\nThe old market of this place was moved to Plaza%s in the year %d, after a flood of the river. "+
			"A mill on its %s bank ground wheat for %d families until the bridge fell.\n", name, strings.ToUpper(name[:1])+name[1:], 1200+7*i, syllables(i*31+5), 100+i)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("town%03d.md", i)), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// syllables is a made-up name, another for each number.
func syllables(n int) string {
	var b strings.Builder
	for range 4 {
		b.WriteByte("bdfgklmnprst"[n%12])
		b.WriteByte("aeiou"[(n/12)%5])
		n = n/3 + 7
	}
	return b.String() + string(rune('a'+n%26))
}

// teach is a script's command: it starts a server, and tells of it in the variable TEACHER.
func teach(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: teacher MODE")
	}
	p := newPupilmaster(args[0])
	ts.Defer(p.Close)
	ts.Setenv("TEACHER", p.URL)
}

// writeTowns is a script's command: towns DIR N.
func writeTowns(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: towns DIR N")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(towns(ts.MkAbs(args[0]), n))
}

// schooled is a project with a benchmark to be made, of the items of a server.
func schooled(t *testing.T, url string, n int) string {
	t.Helper()
	dir := t.TempDir()
	if err := towns(filepath.Join(dir, "docs"), n); err != nil {
		t.Fatal(err)
	}
	docFile(t, filepath.Join(dir, "main.jupiter.hcl"), fmt.Sprintf(`domain "towns" {
  description = "Towns"
  mix_ratio   = { real = 1 }
  source "files" "docs" {
    bucket = "real"
    paths  = ["docs/*.md"]
  }
  evaluation {
    build {
      documents = ["${path.module}/docs/*.md"]
      teacher   = generator.openai.teacher
      items     = %d
    }
  }
}

generator "openai" "teacher" {
  base_url   = "%s/v1"
  model_name = "large"
  batch_size = 2
}
`, n, url))
	return dir
}

// TestBenchmarkBuildKilled: a build that is killed while the teacher answers goes on from there, asks for nothing twice that it
// had kept, and comes to the same files as one that nobody disturbed.
func TestBenchmarkBuildKilled(t *testing.T) {
	t.Parallel()
	cache := t.TempDir()
	run := func(dir string) *exec.Cmd {
		cmd := exec.Command("jupiter", "benchmark", "build")
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "XDG_CACHE_HOME="+cache)
		cmd.Stderr = &bytes.Buffer{}
		return cmd
	}
	calm := newPupilmaster("right")
	t.Cleanup(calm.Close)
	whole := schooled(t, calm.URL, 60)
	if cmd := run(whole); cmd.Run() != nil {
		t.Fatalf("%s", cmd.Stderr)
	}

	p := newPupilmaster("right")
	p.delay = 60 * time.Millisecond // as a model that takes longer than the disk
	t.Cleanup(p.Close)
	dir := schooled(t, p.URL, 60)
	for kill := range 3 {
		cmd := run(dir)
		p.mu.Lock()
		p.reach, p.at = p.asked+17, func() { _ = cmd.Process.Kill() }
		p.mu.Unlock()
		if err := cmd.Run(); err == nil {
			t.Fatalf("kill %d: it was done before", kill)
		}
	}
	path := filepath.Join(dir, "benchmark", "replies.jsonl")
	kept := loopRead(t, path)
	docFile(t, path, kept+`{"key":"half a li`) // as a crash leaves it
	p.mu.Lock()
	p.reach = 0
	p.mu.Unlock()
	if cmd := run(dir); cmd.Run() != nil {
		t.Fatalf("%s", cmd.Stderr)
	}
	for _, name := range []string{"validation.jsonl", "dev.jsonl", "gate.jsonl"} {
		if d := cmp.Diff(loopRead(t, filepath.Join(whole, "benchmark", name)), loopRead(t, filepath.Join(dir, "benchmark", name))); d != "" {
			t.Errorf("%s differs:\n%s", name, d)
		}
	}
	again := 0
	for _, n := range p.times {
		again += n - 1
	}
	if most := 3 * 4; again > most { // what was in work at each kill, of two requests at a time
		t.Errorf("%d questions were asked again, more than %d", again, most)
	}
	if len(p.times) != len(calm.times) {
		t.Errorf("%d different questions, want %d", len(p.times), len(calm.times))
	}
}

// TestBenchmarkBuildInterrupted: Ctrl-C ends a build with status 130, and what was said is kept.
func TestBenchmarkBuildInterrupted(t *testing.T) {
	t.Parallel()
	p := newPupilmaster("right")
	t.Cleanup(p.Close)
	dir := schooled(t, p.URL, 60)
	cmd := exec.Command("jupiter", "benchmark", "build")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "XDG_CACHE_HOME="+t.TempDir())
	var said bytes.Buffer
	cmd.Stderr = &said
	p.reach, p.at = 50, func() { _ = cmd.Process.Signal(os.Interrupt) }
	err := cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != exitInterrupted || !strings.Contains(said.String(), "Interrupted.") {
		t.Fatalf("%v\n%s", err, said.String())
	}
	replies := strings.Count(loopRead(t, filepath.Join(dir, "benchmark", "replies.jsonl")), `"text"`)
	if replies < 10 {
		t.Errorf("%d replies are kept", replies)
	}
	entries, err := os.ReadDir(filepath.Join(dir, "benchmark"))
	if err != nil || slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == "gate.jsonl" }) {
		t.Errorf("%v, %v", entries, err)
	}
	if loopRead(t, filepath.Join(dir, "benchmark", "candidates.jsonl")) == "" {
		t.Error("no candidates were written")
	}
}
