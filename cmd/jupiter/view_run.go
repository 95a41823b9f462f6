package main

import (
	"fmt"
	"sort"
	"strings"
	"sync"
	"time"

	"jupiter/plan"
	"jupiter/runtime"
	"jupiter/state"
)

// runView shows a run while it goes on. start comes before the first event, ended after the last.
type runView interface {
	runtime.Sink
	start()
	say(text string) // something that is no event
	ended(e ending)
}

// ending is how a run ended. run is "" where there was nothing to do.
type ending struct {
	at      time.Time
	run     string
	outcome runtime.Outcome
	status  int // of the program
	err     error
}

// line is the ending as JSON.
func (e ending) line() outcomeLine {
	l := outcomeLine{At: e.at, Event: "outcome", Run: e.run, Outcome: e.outcome, Status: e.status}
	if e.err != nil {
		l.Error = e.err.Error()
	}
	return l
}

func newRunView(w *world, asJSON bool) runView {
	switch {
	case asJSON:
		return &jsonView{w: w}
	case w.terminal(w.out):
		return newLiveView(w)
	}
	return &plainView{w: w, track: newTrack()}
}

// jsonView writes an event a line.
type jsonView struct {
	w  *world
	mu sync.Mutex
}

func (v *jsonView) start() {}

func (v *jsonView) say(text string) { fmt.Fprintln(v.w.err, text) }

func (v *jsonView) Emit(e runtime.Event) { v.write(e) }

func (v *jsonView) write(value any) {
	b, err := marshal(value, "")
	if err != nil {
		b, _ = marshal(map[string]string{"event": "error", "message": err.Error()}, "")
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	_, _ = v.w.out.Write(b)
}

func (v *jsonView) ended(e ending) { v.write(e.line()) }

// track follows the actions of a run: which are planned, which run now, how far they are. It is not safe for concurrent
// use; the views that have one guard it.
type track struct {
	planned map[string]bool // lines of the plan that have not ended
	stages  map[string]*running
	order   uint64
}

// running is an action under way.
type running struct {
	address, title string
	order          uint64
	from           time.Time // of the first report
	base           uint64    // what was done then
	seen           bool      // a report came
	done, total    uint64
	unit           string
	metrics        map[string]float64
}

func newTrack() *track { return &track{planned: map[string]bool{}, stages: map[string]*running{}} }

// note takes an event in, and gives the line that stays on the screen; "" for none.
func (t *track) note(e runtime.Event) string {
	switch e.Type {
	case runtime.Planned:
		t.planned = map[string]bool{}
		for _, c := range e.Plan.Changes {
			t.planned[string(c.Address)] = c.Op != plan.NoOp
		}
		return "\n" + turnLine(e.Plan)
	case runtime.Started:
		t.order++
		t.stages[e.Address] = &running{address: e.Address, title: e.Title, order: t.order, from: e.At}
	case runtime.Progressed:
		t.progress(e)
	case runtime.Finished, runtime.Reused, runtime.Interrupted, runtime.Failed:
		return t.end(e)
	case runtime.Booked:
		return "  done     " + e.Address + ": " + e.Title
	case runtime.Retried:
		return fmt.Sprintf("  again    %s in %s: %s", e.Address, spent(e.Seconds), strings.ReplaceAll(e.Message, "\n", "\n           "))
	case runtime.Warned:
		if e.Address == "" {
			return "  warning  " + e.Message
		}
		return "  warning  " + e.Address + ": " + e.Message
	case runtime.Decided:
		return decisionLine(e.Decision)
	case runtime.Promoted:
		return "  " + e.Message
	case runtime.Repaired:
		return "  repaired " + e.Message
	}
	return ""
}

func (t *track) progress(e runtime.Event) {
	s := t.stages[e.Address]
	if s == nil {
		t.order++
		s = &running{address: e.Address, title: e.Title, order: t.order}
		t.stages[e.Address] = s
	}
	if !s.seen || e.Done < s.done { // the rate is of this process, not of what an earlier one did
		s.seen, s.from, s.base = true, e.At, e.Done
	}
	s.done, s.total, s.unit = e.Done, e.Total, e.Unit
	if len(e.Metrics) > 0 {
		s.metrics = e.Metrics
	}
}

// end gives a line for an action that is a line of the plan. What it does on the way is its own business.
func (t *track) end(e runtime.Event) string {
	delete(t.stages, e.Address)
	mine := t.planned[e.Address]
	t.planned[e.Address] = false
	switch {
	case e.Type == runtime.Failed:
		return "  failed   " + e.Address
	case e.Type == runtime.Interrupted:
		return "  stopped  " + e.Address
	case !mine:
		return ""
	case e.Type == runtime.Reused:
		return "  as before " + e.Address
	}
	line := "  done     " + e.Address
	if e.Message != "" {
		line += ": " + e.Message
	}
	return fmt.Sprintf("%s (%s)", line, spent(e.Seconds))
}

// now lists what runs, in the order in which it began.
func (t *track) now() []*running {
	all := make([]*running, 0, len(t.stages))
	for _, s := range t.stages {
		all = append(all, s)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].order < all[j].order })
	return all
}

// speed is how many units a second were done since the first report, and how long the rest takes; 0: not known yet.
func (s *running) speed(now time.Time) (perSecond float64, left time.Duration) {
	passed := now.Sub(s.from).Seconds()
	if !s.seen || s.done <= s.base || passed < 0.5 {
		return 0, 0
	}
	perSecond = float64(s.done-s.base) / passed
	if s.total > s.done {
		left = time.Duration(float64(s.total-s.done) / perSecond * float64(time.Second))
	}
	return perSecond, left
}

// figures says how far an action is: "800/1600 steps  34.1/s  23s left  loss 0.4213".
func (s *running) figures(now time.Time) string {
	if !s.seen {
		return s.title
	}
	text := fmt.Sprintf("%d %s", s.done, s.unit)
	if s.total > 0 {
		text = fmt.Sprintf("%d/%d %s", s.done, s.total, s.unit)
	}
	if perSecond, left := s.speed(now); perSecond > 0 {
		text += "  " + rate(perSecond)
		if left > 0 {
			text += "  " + span(left) + " left"
		}
	}
	names := make([]string, 0, len(s.metrics))
	for n := range s.metrics {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		text += fmt.Sprintf("  %s %.4g", n, s.metrics[n])
	}
	return text
}

// turnLine announces a turn.
func turnLine(p *plan.Plan) string {
	return fmt.Sprintf("%s: %s", capital(turns(p)), strings.TrimPrefix(firstSentence(summaryLine(p)), "Plan: "))
}

func firstSentence(s string) string {
	first, _, _ := strings.Cut(s, ". ")
	return strings.TrimSuffix(first, ".")
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// decisionLine is a decision with the reason that carries it.
func decisionLine(d *state.Decision) string {
	text := fmt.Sprintf("  %s at step %d: candidate %s, generator v%d %s on %s (%s)", verdict(*d), d.Step, score(d.Challenger.Score), d.IncumbentVersion,
		score(d.Incumbent.Score), d.Split, plural(d.N, "question"))
	if len(d.Reasons) > 0 {
		text += "\n           " + d.Reasons[0]
	}
	return text
}

// verdict is a decision in a word: what the gate said, and what became of it.
func verdict(d state.Decision) string {
	switch {
	case d.Halted:
		return d.Verdict + " (halted)"
	case d.Pending:
		return d.Verdict + " (waits)"
	case d.Resolution != nil && d.Resolution.Approved:
		return d.Verdict + " (approved)"
	case d.Resolution != nil:
		return d.Verdict + " (refused)"
	}
	return d.Verdict
}
