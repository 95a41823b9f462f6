package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jupiter/plan"
	"jupiter/runtime"
	"jupiter/state"
)

// clock is a time that a test moves.
type clock struct{ t time.Time }

func newClock() *clock { return &clock{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

func (c *clock) now() time.Time { return c.t }

func (c *clock) after(d time.Duration) time.Time { c.t = c.t.Add(d); return c.t }

// someRun is the events of a short run, at the clock's times.
func someRun(c *clock, emit func(runtime.Event)) {
	p := &plan.Plan{Cycles: []*plan.CyclePlan{{Cycle: "numbers", Epoch: 2, Generator: 1}}, Summary: plan.Summary{Advance: 1, NoOp: 1},
		Changes: []plan.Change{{Address: "trainer.a", Op: plan.Advance}, {Address: "mix", Op: plan.NoOp}}}
	emit(runtime.Event{At: c.now(), Type: runtime.Planned, Plan: p})
	emit(runtime.Event{At: c.now(), Type: runtime.Reused, Address: "mix"})
	emit(runtime.Event{At: c.now(), Type: runtime.Started, Address: "trainer.a", Title: "steps 0 → 400"})
	for i := uint64(0); i <= 400; i += 20 {
		emit(runtime.Event{At: c.after(time.Second), Type: runtime.Progressed, Address: "trainer.a", Done: i, Total: 400, Unit: "steps", Metrics: map[string]float64{"loss": 0.5, "acc": 0.25}})
	}
	emit(runtime.Event{At: c.now(), Type: runtime.Started, Address: "trainer.a.export"})
	emit(runtime.Event{At: c.now(), Type: runtime.Finished, Address: "trainer.a.export"})
	emit(runtime.Event{At: c.now(), Type: runtime.Warned, Address: "trainer.a", Message: "slow"})
	emit(runtime.Event{At: c.now(), Type: runtime.Finished, Address: "trainer.a", Seconds: 21, Message: "loss 0.5"})
	emit(runtime.Event{At: c.now(), Type: runtime.Decided, Decision: &state.Decision{Epoch: 2, Step: 400, IncumbentVersion: 1, Incumbent: state.Scores{Score: new(0.25)}, Split: "dev", N: 10,
		Verdict: state.Hold, Reasons: []string{"not better"}}})
}

// TestPlainView: lines only, no control characters, progress at most every ten seconds, nothing of inner actions.
func TestPlainView(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	c := newClock()
	v := &plainView{w: &world{out: &out, now: c.now}, track: newTrack()}
	v.start()
	someRun(c, v.Emit)
	v.ended(ending{at: c.now(), run: "run", outcome: runtime.OutcomeDone})
	want := `
Cycle 2 of self_improvement.numbers, generator v1: 1 to advance; 1 unchanged
  start    trainer.a: steps 0 → 400
  …        trainer.a: 180/400 steps  20.0/s  11s left  acc 0.25  loss 0.5
  …        trainer.a: 380/400 steps  20.0/s  1s left  acc 0.25  loss 0.5
  warning  trainer.a: slow
  done     trainer.a: loss 0.5 (21s)
  HOLD at step 400: candidate –, generator v1 0.2500 on dev (10 questions)
           not better
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

// TestLiveView: what has ended stays above, what runs is drawn below it in one line and replaced.
func TestLiveView(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	c := newClock()
	v := newLiveView(&world{out: &out, now: c.now})
	v.Emit(runtime.Event{At: c.now(), Type: runtime.Started, Address: "trainer.a", Title: "steps"})
	v.Emit(runtime.Event{At: c.now(), Type: runtime.Progressed, Address: "trainer.a", Done: 0, Total: 100, Unit: "steps"})
	v.Emit(runtime.Event{At: c.after(10 * time.Second), Type: runtime.Progressed, Address: "trainer.a", Done: 50, Total: 100, Unit: "steps"})
	v.mu.Lock()
	v.draw("")
	v.draw("a line that stays")
	v.mu.Unlock()
	v.ended(ending{at: c.now(), run: "run", outcome: runtime.OutcomeDone})
	live := "  trainer.a  ██████████░░░░░░░░░░  50/100 steps  5.00/s  10s left\n"
	clear := "\x1b[1A\r\x1b[J"
	if diff := cmp.Diff(live+clear+"a line that stays\n"+live+clear, out.String()); diff != "" {
		t.Errorf("drawing (-want +got):\n%s", diff)
	}
	s := &running{address: strings.Repeat("x", 300), title: "t"}
	if n := columns(v.line(s, c.now(), 80)); n != 79 {
		t.Errorf("a live line takes %d of 80 columns", n)
	}
}

// TestJSONView: an event a line, and the outcome last.
func TestJSONView(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	c := newClock()
	v := newRunView(&world{out: &out, now: c.now}, true)
	v.start()
	someRun(c, v.Emit)
	v.ended(ending{at: c.now(), run: "r1", outcome: runtime.OutcomeFailed, status: exitError, err: errors.New("no")})
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 30 {
		t.Errorf("%d lines, want 30", len(lines))
	}
	if want := `{"at":"2026-01-02T03:04:26Z","event":"outcome","run":"r1","outcome":"failed","exit_status":1,"error":"no"}`; lines[len(lines)-1] != want {
		t.Errorf("last line %s, want %s", lines[len(lines)-1], want)
	}
}

func TestReasons(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change plan.Change
		want   string
	}{
		{"new", plan.Change{Reasons: []plan.Reason{{Code: plan.NotRecorded, Names: []string{"a"}}, {Code: plan.InputUnknown, Names: []string{"x"}}}}, "new"},
		{"attribute", plan.Change{Reasons: []plan.Reason{{Code: plan.ConfigChanged, Names: []string{"config.lr"}, Was: "1", Now: "2", File: "a.hcl", Line: 3}}}, "config.lr 1 → 2 (a.hcl:3)"},
		{"attribute removed", plan.Change{Reasons: []plan.Reason{{Code: plan.ConfigChanged, Names: []string{"config.lr"}, Was: "1"}}}, "config.lr 1 → (none)"},
		{"weighty first", plan.Change{Reasons: []plan.Reason{{Code: plan.InputChanged, Names: []string{"input.a"}, Was: "0a1b2c3d4e5f", Now: "f5e4d3c2b1a0"}, {Code: plan.SourceChanged, Names: []string{"fingerprint"}}, {Code: plan.NextCycle, Names: []string{"cycle"}, Was: "1", Now: "2"}}},
			"the source has changed, input.a 0a1b2c3 → f5e4d3c, and 1 more"},
		{"may run", plan.Change{Unknown: true, Reasons: []plan.Reason{{Code: plan.InputUnknown, Names: []string{"x"}}}}, "may run: input known after apply"},
		{"runs in any case", plan.Change{Unknown: true, Reasons: []plan.Reason{{Code: plan.NextWindow, Names: []string{"window"}, Was: "1", Now: "2"}, {Code: plan.InputUnknown, Names: []string{"x"}}}}, "window 1 → 2; input known after apply"},
		{"several, and an input to come", plan.Change{Unknown: true, Reasons: []plan.Reason{{Code: plan.NextWindow, Names: []string{"window"}, Was: "1", Now: "2"}, {Code: plan.ConfigChanged, Names: []string{"config.a"}, Was: "1", Now: "2"}, {Code: plan.ConfigChanged, Names: []string{"config.b"}, Was: "1", Now: "2"}}},
			"config.a 1 → 2, config.b 1 → 2, and 1 more; input known after apply"},
		{"a space", plan.Change{Reasons: []plan.Reason{{Code: plan.ConfigChanged, Names: []string{"prompt"}, Was: "a:", Now: "a: "}}}, `prompt a: → "a: "`},
		{"what a terminal would obey", plan.Change{Reasons: []plan.Reason{{Code: plan.ConfigChanged, Names: []string{"prompt"}, Was: "a → b", Now: "a\n\x1b[31m"}}}, `prompt "a → b" → "a\n\x1b[31m"`},
		{"version", plan.Change{Reasons: []plan.Reason{{Code: plan.ConfigChanged, Names: []string{"version"}, Was: "1", Now: "2"}}}, "generator v1 → v2"},
		{"missing", plan.Change{Reasons: []plan.Reason{{Code: plan.ArtifactMissing, Names: []string{"sha256:" + strings.Repeat("0a", 32)}}}}, "bytes of 0a0a0a0 are missing"},
		{"a number is no digest", plan.Change{Reasons: []plan.Reason{{Code: plan.ConfigChanged, Names: []string{"config.n"}, Was: "1000000000000", Now: "2"}}}, "config.n 1000000000000 → 2"},
		{"promotion", plan.Change{Reasons: []plan.Reason{{Code: plan.Undecided, Names: []string{"promotion"}}}}, ""},
	} {
		if got := because(c.change); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestSpan(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{0: "0s", 59600 * time.Millisecond: "1m00s", 75 * time.Second: "1m15s", 2*time.Hour + 3*time.Minute: "2h03m"} {
		if got := span(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

// TestUnfinished: what a journal has begun and not ended.
func TestUnfinished(t *testing.T) {
	t.Parallel()
	entries := []state.Entry{{Event: "started", Address: "a"}, {Event: "started", Address: "b"}, {Event: "finished", Address: "a"},
		{Event: "started", Address: "c"}, {Event: "failed", Address: "c"}, {Event: "started", Address: "c", Seq: 7}, {Event: "interrupted", Address: "d"}}
	want := []state.Entry{entries[1], entries[5]}
	if diff := cmp.Diff(want, unfinished(entries)); diff != "" {
		t.Errorf("unfinished (-want +got):\n%s", diff)
	}
}

// TestMarkdown: nothing that a file says is markup, a mention or another line of the comment; and a comment is never longer
// than a host of code takes.
func TestMarkdown(t *testing.T) {
	t.Parallel()
	p := &plan.Plan{Summary: plan.Summary{Rerun: 1}, Envelope: plan.Envelope{Cycles: 1},
		Cycles: []*plan.CyclePlan{{Cycle: "a", Epoch: 1, Notes: []string{"<img> @octocat\n# heading"}}},
		Changes: []plan.Change{{Address: "source.files.s[\"|`\"]", Op: plan.Rerun, Title: "a\x1b[31m & b",
			Reasons: []plan.Reason{{Code: plan.ConfigChanged, Names: []string{"prompt"}, Was: "$x$", Now: "| @octocat #12 `&lt;`\n|"}}}}}
	var out bytes.Buffer
	viewMarkdown(&out, p)
	for _, want := range []string{
		"| `±` | `source.files.s[\"\\|'\"]` | a \\[31m \\& b | prompt \\$x\\$ → \"\\| @\u2060octocat \\#\u206012 \\`\\&lt;\\`\\\\n\\|\" |  |\n",
		"\n> self\\_improvement.a: \\<img\\> @\u2060octocat \\#\u2060 heading\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}

	for range 2000 {
		p.Changes = append(p.Changes, p.Changes[0])
		p.Cycles[0].Notes = append(p.Cycles[0].Notes, strings.Repeat("long ", 20))
	}
	out.Reset()
	viewMarkdown(&out, p)
	for _, want := range []string{" more changes not shown.\n", " more notes not shown.\n", "**An apply approves:** at most 1 cycle"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("a long comment does not say %q", want)
		}
	}
	if out.Len() > 65536 {
		t.Errorf("a comment of %d bytes", out.Len())
	}
}

// TestSamplesShown: what a model writes does not control the terminal; lines and tabs stay.
func TestSamplesShown(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	viewSamples(&out, 2, []runtime.Sampled{{Text: "a\tb\n\x1b[2Jc\u202ed\x07\n", Finish: "stop"}}, "")
	if want := "a\tb\n [2Jc d \n  — generator v2; the domain has no verifier\n\n"; out.String() != want {
		t.Errorf("%q, want %q", &out, want)
	}
}
