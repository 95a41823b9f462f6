package host

import (
	"fmt"
	"strconv"
	"sync"

	"jupiter/plugins/proto/pluginv1"
)

// tracker follows the messages of a call, to say which item was in work when its process died, and whether an answer is
// due.
type tracker struct {
	mu       sync.Mutex
	call     string   // ID
	what     string   // of the items: "record", "prompt"
	asked    []string // items that were sent and have no answer yet, in order
	answered uint64
	note     string // where there are no items: how far the call had come
	sent     bool   // the caller has sent all
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
			t.asked = append(t.asked, r.Id)
		}
	case *pluginv1.VerifyRequest:
		t.what = "item"
		for _, it := range m.GetBatch().GetItems() {
			t.asked = append(t.asked, it.Id)
		}
	case *pluginv1.CompleteRequest:
		t.what = "prompt"
		for _, p := range m.Prompts {
			t.asked = append(t.asked, p.Id)
		}
	case *pluginv1.LikelihoodRequest:
		t.what = "prompt"
		for _, it := range m.Items {
			t.asked = append(t.asked, it.PromptId)
		}
	case *pluginv1.GenerateRequest:
		if len(m.Sets) > 0 && t.note == "" {
			t.note = fmt.Sprintf("template %s, from sample %d on", m.Sets[0].Template, m.Sets[0].StartIndex)
		}
	}
}

// receive takes note of an answer. It is false where the plugin answers more than it was asked.
func (t *tracker) receive(m any) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch m := m.(type) {
	case *pluginv1.FilterEvent:
		return t.answer(len(m.GetVerdicts().GetVerdicts()))
	case *pluginv1.VerifyEvent:
		return t.answer(len(m.Judgements))
	case *pluginv1.CompleteEvent:
		if m.GetCompletion() != nil {
			return t.answer(1)
		}
	case *pluginv1.LikelihoodEvent:
		return t.answer(1)
	case *pluginv1.CollectEvent:
		t.records(m.GetBatch())
	case *pluginv1.GenerateEvent:
		t.records(m.GetBatch())
	case *pluginv1.TrainEvent:
		t.progress(m.GetProgress())
		if c := m.GetCheckpoint(); c != nil {
			t.note = "after the checkpoint of step " + strconv.FormatUint(c.Step, 10)
		}
	case *pluginv1.ExportEvent:
		t.progress(m.GetProgress())
	case *pluginv1.ImportEvent:
		t.progress(m.GetProgress())
	}
	return true
}

func (t *tracker) answer(n int) bool {
	if n > len(t.asked) {
		return false
	}
	t.asked = t.asked[n:]
	t.answered += uint64(n)
	return true
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
		return t.call, fmt.Sprintf("%s %s (%d answered)", t.what, t.asked[0], t.answered)
	}
	return t.call, t.note
}
