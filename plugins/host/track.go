package host

import (
	"fmt"
	"sync"
	"sync/atomic"

	"jupiter/plugins/contract"
	"jupiter/plugins/proto/pluginv1"
)

// tracker follows the messages of a call, to say which item was in work when its process died, and whether an answer is
// due.
type tracker struct {
	mu       sync.Mutex
	call     string  // ID
	what     string  // of the items: "record", "prompt"
	asked    []asked // items that were sent and have no answer yet, in order
	answered uint64
	note     string // where there are no items: how far the call had come
	sent     bool   // the caller has sent all

	stopping *atomic.Bool // the call was asked to stop, and may give less than all; nil: it never is

	from, to uint64          // steps: after the last checkpoint, and the last that there may be
	named    map[string]bool // outputs, or questions: what may be there once

	streams bool              // completions were asked for in pieces
	pieces  map[string][]byte // by prompt, of the completions that are not there yet

	idled  int                // messages in a row that brought nothing
	cursor []byte             // the last one
	last   *pluginv1.Progress // the same
}

// asked is one item that awaits its answer.
type asked struct {
	id    string
	parts int // of a likelihood's item: its continuations
}

// send takes note of a request.
func (t *tracker) send(m any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c, ok := m.(interface{ GetCall() *pluginv1.Call }); ok && c.GetCall() != nil {
		t.call = c.GetCall().Id
	}
	switch m := m.(type) {
	case *pluginv1.FilterRequest:
		t.what = "record"
		for _, r := range m.GetBatch().GetRecords() {
			t.asked = append(t.asked, asked{id: r.Id})
		}
	case *pluginv1.VerifyRequest:
		t.what = "item"
		for _, it := range m.GetBatch().GetItems() {
			t.asked = append(t.asked, asked{id: it.Id})
		}
	case *pluginv1.CompleteRequest:
		t.what = "prompt"
		t.streams = t.streams || m.Stream
		for _, p := range m.Prompts {
			t.asked = append(t.asked, asked{id: p.Id})
		}
	case *pluginv1.LikelihoodRequest:
		t.what = "prompt"
		for _, it := range m.Items {
			t.asked = append(t.asked, asked{it.PromptId, len(it.Continuations)})
		}
	case *pluginv1.ScoreRequest:
		t.what = "answer"
		if a := m.GetAnswer(); a != nil {
			t.asked = append(t.asked, asked{id: a.GetQuestion().GetPrompt().GetId()})
		}
	case *pluginv1.TrainRequest:
		t.from, t.to = m.FromStep, m.ToStep
	case *pluginv1.GenerateRequest:
		if len(m.Sets) > 0 && t.note == "" {
			t.note = fmt.Sprintf("template %s, from sample %d on", m.Sets[0].Template, m.Sets[0].StartIndex)
		}
	}
}

// receive takes note of an answer, and says what is wrong with it; "": nothing.
func (t *tracker) receive(m any) (wrong string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch m := m.(type) {
	case *pluginv1.CollectEvent:
		if wrong = contract.Batch(m.GetBatch(), true); wrong == "" {
			t.records(m.GetBatch())
		}
	case *pluginv1.GenerateEvent:
		if wrong = contract.Batch(m.GetBatch(), false); wrong == "" {
			t.records(m.GetBatch())
		}
	case *pluginv1.FilterEvent, *pluginv1.VerifyEvent, *pluginv1.CompleteEvent, *pluginv1.LikelihoodEvent, *pluginv1.ScoreResponse:
		wrong = t.answers(m)
	case *pluginv1.PrepareResponse:
		wrong = t.questions(m.Questions)
	case *pluginv1.TrainEvent:
		t.progress(m.GetProgress())
		wrong = t.checkpoint(m.GetCheckpoint())
	case *pluginv1.ExportEvent:
		t.progress(m.GetProgress())
		wrong = t.output(m.GetOutput(), exportedName)
	case *pluginv1.ImportEvent:
		t.progress(m.GetProgress())
		wrong = t.output(m.GetOutput(), "")
	case *pluginv1.EstimateResponse:
		wrong = contract.Estimate(m)
	case *pluginv1.FingerprintResponse:
		wrong = contract.Fingerprint(m)
	case *pluginv1.CheckResponse:
		wrong = contract.Findings(m)
	}
	if p, ok := m.(interface{ GetProgress() *pluginv1.Progress }); ok && wrong == "" {
		wrong = contract.Progress(p.GetProgress())
	}
	if wrong == "" {
		wrong = t.idle(m)
	}
	return wrong
}

func (t *tracker) progress(p *pluginv1.Progress) {
	if p != nil {
		t.note = fmt.Sprintf("after %d of %d %s", p.Done, p.Total, p.Unit)
	}
}

func (t *tracker) records(b *pluginv1.RecordBatch) {
	if n := len(b.GetRecords()); n > 0 {
		t.answered += uint64(n)
		t.note = fmt.Sprintf("after record %d", t.answered)
	}
}

// closed takes note that the caller has sent all.
func (t *tracker) closed() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sent = true
}

// due says whether the plugin owes a message: it has all it will get, or items that it is to answer one after another.
func (t *tracker) due() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sent || (t.what == "record" || t.what == "item") && len(t.asked) > 0
}

// item says what was in work.
func (t *tracker) item() (call, item string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.asked) > 0 {
		return t.call, fmt.Sprintf("%s %s (%d answered)", t.what, t.asked[0].id, t.answered)
	}
	return t.call, t.note
}
