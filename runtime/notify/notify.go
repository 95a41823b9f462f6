// Package notify tells somebody what happened in a run: it runs a command or posts to a webhook.
//
// A notice is told after what it tells of is recorded, in the order of events, one after another for each hook and beside
// the run, which neither waits for a hook nor fails with it. What is not told when a process ends is not told later: a hook
// that must know of everything reads the history. A webhook is tried several times, so it may get a notice twice, when an
// answer was lost; a notice's id is the same each time.
package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Schema names the form of a Notice.
const Schema = "jupiter.notice/v1"

// Notice is what a hook is told. What does not belong to its event is left out.
type Notice struct {
	Schema  string    `json:"schema"`
	ID      string    `json:"id"`    // of the event: the same for each try and each hook
	Event   string    `json:"event"` // promotion, halt, failure, end, test
	At      time.Time `json:"at"`
	Text    string    `json:"text"`    // all of it in a sentence
	Project string    `json:"project"` // name of the plan's directory
	Host    string    `json:"host"`
	Run     string    `json:"run"`

	Cycle    string    `json:"cycle,omitempty"`
	Version  uint64    `json:"version,omitempty"` // the generator that is in use now
	Decision *Decision `json:"decision,omitempty"`

	Outcome string  `json:"outcome,omitempty"`
	Status  *int    `json:"exit_status,omitempty"`
	Error   string  `json:"error,omitempty"`
	Seconds float64 `json:"seconds,omitempty"` // that the run took
}

// Decision is what a promotion or a halt rests on.
type Decision struct {
	Epoch            uint64   `json:"epoch"`
	Step             uint64   `json:"step"`
	Verdict          string   `json:"verdict"`
	Candidate        Scores   `json:"candidate"`
	Incumbent        Scores   `json:"incumbent"`
	IncumbentVersion uint64   `json:"incumbent_version"`
	Split            string   `json:"split"`
	N                int      `json:"n"`
	GainAbsolute     float64  `json:"gain_absolute"`
	LCB              *float64 `json:"lcb"`
	Reasons          []string `json:"reasons"`
}

// Scores of one contestant; null: could not be measured.
type Scores struct {
	Accuracy  *float64 `json:"accuracy"`
	Coherence *float64 `json:"coherence"`
	Domain    *float64 `json:"domain"`
	Score     *float64 `json:"score"`
}

// Hook is one way to tell somebody.
type Hook struct {
	Name    string
	On      []string // events
	Command []string // program and arguments; empty: Webhook is set
	Webhook string
	Headers map[string]string
	Timeout time.Duration // of one notice, all tries together
}

// Teller tells hooks.
type Teller struct {
	Dir    string       // that commands run in
	Env    []string     // of commands, before what is said of the notice
	Client *http.Client // of webhooks
	Pause  func(ctx context.Context, d time.Duration) error
}

// tries is how often a webhook is asked; backoff is the pause before the second time, and doubles.
const (
	tries   = 4
	backoff = time.Second
)

// Wait is a Teller's Pause by the clock.
func Wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Tell tells one hook, within its timeout. The error shows nothing of the webhook's address and headers.
func (t *Teller) Tell(ctx context.Context, h Hook, n Notice) error {
	n.Schema = Schema
	body, err := encode(n)
	if err != nil {
		return err
	}
	within, cancel := context.WithTimeout(ctx, h.Timeout)
	defer cancel()
	if len(h.Command) > 0 {
		err = t.run(within, h, n, body)
	} else {
		err = t.post(within, h, body)
	}
	if err != nil && ctx.Err() == nil && errors.Is(within.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("not done after %s: %w", h.Timeout, err)
	}
	return err
}

func encode(n Notice) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(n)
	return b.Bytes(), err
}

// waiting is how many notices of one hook may wait for their turn.
const waiting = 64

// Queue tells hooks beside a run.
type Queue struct {
	report func(h Hook, n Notice, err error)
	cancel context.CancelFunc // of what is being told
	hooks  []queued
	done   sync.WaitGroup
}

type queued struct {
	Hook
	notices chan Notice
}

// NewQueue begins to tell hooks. report is told of each notice how it went, by several goroutines. The caller closes it.
func NewQueue(ctx context.Context, t *Teller, hooks []Hook, report func(Hook, Notice, error)) *Queue {
	ctx, cancel := context.WithCancel(ctx)
	q := &Queue{report: report, cancel: cancel}
	for _, h := range hooks {
		one := queued{h, make(chan Notice, waiting)}
		q.hooks = append(q.hooks, one)
		q.done.Go(func() {
			for n := range one.notices {
				report(one.Hook, n, t.Tell(ctx, one.Hook, n))
			}
		})
	}
	return q
}

// Add queues a notice for the hooks that want its event, and does not wait.
func (q *Queue) Add(n Notice) {
	for _, h := range q.hooks {
		if !slices.Contains(h.On, n.Event) {
			continue
		}
		select {
		case h.notices <- n:
		default:
			q.report(h.Hook, n, fmt.Errorf("%d notices wait already", waiting))
		}
	}
}

// Close waits until all is told, at most as long as the longest timeout of a hook; what is not told then is given up.
func (q *Queue) Close() {
	longest := time.Duration(0)
	for _, h := range q.hooks {
		close(h.notices)
		longest = max(longest, h.Timeout)
	}
	t := time.AfterFunc(longest, q.cancel)
	defer t.Stop()
	q.done.Wait()
	q.cancel()
}
