package runtime

import (
	"time"

	"jupiter/plan"
	"jupiter/state"
)

// EventType says what an Event reports.
type EventType string

// The events of a run, in the order in which a reader meets them.
const (
	Planned     EventType = "planned"     // the next turn is planned; Plan is set
	Started     EventType = "started"     // an action runs
	Progressed  EventType = "progress"    // an action is under way: Done of Total Unit
	Saved       EventType = "saved"       // a partial result is durable
	Finished    EventType = "finished"    // an action's result is recorded
	Reused      EventType = "reused"      // an action's result was recorded before
	Interrupted EventType = "interrupted" // an action saved what it had and stopped
	Failed      EventType = "failed"      // an action failed; Message says why
	Retried     EventType = "retried"     // a plugin failed in a way that may pass; the action is tried again in Seconds
	Warned      EventType = "warning"     // a plugin or the core has something to say
	Decided     EventType = "decided"     // Decision is set
	Promoted    EventType = "promoted"    // Version became the generator in use
	Booked      EventType = "booked"      // records were moved or forgotten, before anything runs
	Repaired    EventType = "repaired"    // what was changed from outside is right again; Message says what
	Ended       EventType = "ended"       // a cycle reached a terminal state; Message says why
)

// Event is one thing that happened in a run. Views render it; nothing else reads it.
type Event struct {
	At      time.Time `json:"at"`
	Type    EventType `json:"event"`
	Cycle   string    `json:"cycle,omitempty"`
	Address string    `json:"address,omitempty"`
	Title   string    `json:"title,omitempty"`

	Done    uint64             `json:"done,omitempty"`
	Total   uint64             `json:"total,omitempty"`
	Unit    string             `json:"unit,omitempty"`
	Metrics map[string]float64 `json:"metrics,omitempty"`
	Seconds float64            `json:"seconds,omitempty"`
	Message string             `json:"message,omitempty"`
	Usage   *state.Usage       `json:"usage,omitempty"` // of an action that finished, all tries together

	Plan     *plan.Plan      `json:"plan,omitempty"`
	Decision *state.Decision `json:"decision,omitempty"`
	Version  uint64          `json:"version,omitempty"`
}

// Sink takes a run's events. Emit is called from several goroutines, and must not block for long.
type Sink interface{ Emit(Event) }

// Discard takes events and forgets them.
type Discard struct{}

// Emit does nothing.
func (Discard) Emit(Event) {}

func (r *Runner) emit(e Event) {
	e.At = r.Clock()
	r.Sink.Emit(e)
}
