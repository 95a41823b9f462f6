package runtime

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"jupiter/plan/forecast"
	"jupiter/runtime/history"
	"jupiter/state"
)

// History is what actions took on this machine, in this project and in others.
type History interface {
	Add(history.Sample) error
	Read(host string, cpus int) ([]history.Sample, error) // the newest first
}

// What a turn does besides its actions, as the history knows it.
const (
	deciding    = "decide"          // all of a decision that is no action: weighing, promoting, letting old artifacts go
	calibrating = "calibrate guard" // the guard's limits, once a process
)

// rememberTime adds what took so long and is no action.
func (r *Runner) rememberTime(stage string, began time.Time, seconds float64) {
	r.note(history.Sample{At: began.UTC(), Work: forecast.Work{Stage: stage}, Seconds: seconds})
}

// remember adds an action to the machine's history. An apply does not fail for a history that cannot be written; it says
// so once.
func (r *Runner) remember(rec *state.ActionRecord, w *forecast.Work) {
	if w == nil {
		return
	}
	u := rec.Usage
	s := history.Sample{At: rec.Began.UTC(), Work: *w, Seconds: u.Seconds, PromptTokens: u.PromptTokens,
		CompletionTokens: u.CompletionTokens, DiskBytes: u.DiskBytes}
	if u.PeakMemoryBytes != nil {
		s.PeakMemoryBytes = *u.PeakMemoryBytes
	}
	r.note(s)
}

func (r *Runner) note(s history.Sample) {
	if r.History == nil {
		return
	}
	s.Host, s.CPUs = r.Machine, r.CPUs
	if err := r.History.Add(s); err != nil {
		r.forgetful.Do(func() { r.emit(Event{Type: Warned, Message: err.Error()}) })
	}
}

// samples are what is known of this machine, the newest first: its own history, and what this state has of it.
func (r *Runner) samples(rec *recorded) ([]forecast.Sample, error) {
	var all []history.Sample
	if r.History != nil {
		var err error
		if all, err = r.History.Read(r.Machine, r.CPUs); err != nil {
			return nil, err
		}
	}
	type key struct {
		at    time.Time
		stage string
	}
	seen := map[key]bool{}
	for _, s := range all {
		seen[key{s.At, s.Work.Stage}] = true
	}
	for _, a := range rec.actions {
		var w forecast.Work
		if a.Usage == nil || rec.hosts[a.Run] != r.Machine || json.Unmarshal(a.Work, &w) != nil || seen[key{a.Began.UTC(), w.Stage}] {
			continue
		}
		s := history.Sample{At: a.Began.UTC(), Work: w, Seconds: a.Usage.Seconds, PromptTokens: a.Usage.PromptTokens, CompletionTokens: a.Usage.CompletionTokens, DiskBytes: a.Usage.DiskBytes}
		if p := a.Usage.PeakMemoryBytes; p != nil {
			s.PeakMemoryBytes = *p
		}
		all = append(all, s)
	}
	slices.SortStableFunc(all, func(a, b history.Sample) int {
		if c := b.At.Compare(a.At); c != 0 {
			return c
		}
		return strings.Compare(a.Work.Stage, b.Work.Stage)
	})
	out := make([]forecast.Sample, len(all))
	for i, s := range all {
		out[i] = forecast.Sample{Work: s.Work, Seconds: s.Seconds, PromptTokens: float64(s.PromptTokens), CompletionTokens: float64(s.CompletionTokens),
			DiskBytes: float64(s.DiskBytes), MemoryBytes: float64(s.PeakMemoryBytes)}
	}
	return out, nil
}
