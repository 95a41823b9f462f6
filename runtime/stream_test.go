package runtime

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"jupiter/plan"
	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
)

// testSink is a sink that nothing can be flushed from: no cursor comes.
func testSink(most uint64) *sink {
	s := &sink{j: &job{r: &Runner{Clock: time.Now}}, unit: "samples", stamp: func(*sdk.Record) error { return nil }, most: most}
	s.breach = func(format string, args ...any) error { return fmt.Errorf(format, args...) }
	return s
}

// TestHeld: what comes without a cursor is held in memory, and bounded.
func TestHeld(t *testing.T) {
	t.Parallel()
	s := testSink(0)
	large := &pluginv1.RecordBatch{Records: []*sdk.Record{{Text: strings.Repeat("x", 32<<20)}}} // one record, taken again and again
	taken := 0
	var err error
	for ; err == nil && taken < 100; taken++ {
		err = s.take(t.Context(), large)
	}
	if err == nil || taken != 16 || err.Error() != "it gives more than 512 MiB without a cursor" {
		t.Errorf("%v after %d batches of 32 MiB, want that the 16th is too much", err, taken)
	}
	s = testSink(0)
	tiny := &pluginv1.RecordBatch{Records: slices.Repeat([]*sdk.Record{{Text: "x"}}, 4096)}
	for taken, err = 0, nil; err == nil && taken < 1000; taken++ {
		err = s.take(t.Context(), tiny)
	}
	if most := maxHeld/recordOverhead/4096 + 1; err == nil || taken > most {
		t.Errorf("%v after %d batches of 4096 tiny records, want that %d are too many", err, taken, most)
	}
}

// TestMost: no more is taken than was asked for, and nothing of the batch that is too much.
func TestMost(t *testing.T) {
	t.Parallel()
	s := testSink(3)
	two := &pluginv1.RecordBatch{Records: []*sdk.Record{{Text: "a"}, {Text: "b"}}}
	if err := s.take(t.Context(), two); err != nil {
		t.Fatal(err)
	}
	if err := s.take(t.Context(), two); err == nil || err.Error() != "it gives at least 4 samples where 3 are due" || s.done() != 2 {
		t.Errorf("%v with %d records, want that 4 are too many and 2 stay", err, s.done())
	}
}

// TestCount: words of a plugin are counted by name as far as there are few.
func TestCount(t *testing.T) {
	t.Parallel()
	words := map[string]int{}
	for i := range 10 * maxCounted {
		count(words, fmt.Sprint("reason ", i))
	}
	count(words, "reason 1")
	if len(words) != maxCounted+1 || words["reason 1"] != 2 || words["other"] != 9*maxCounted {
		t.Errorf("%d words, %d of one, %d others", len(words), words["reason 1"], words["other"])
	}
}

// heard keeps the events of a run.
type heard struct{ events []Event }

func (h *heard) Emit(e Event) { h.events = append(h.events, e) }

// TestMetrics: a metric that is no number is unavailable, and said once.
func TestMetrics(t *testing.T) {
	t.Parallel()
	h := &heard{}
	j := &job{r: &Runner{Clock: time.Now, Sink: h}, a: testAction()}
	for range 3 {
		got := j.progress(&pluginv1.Progress{Done: 7, Unit: "steps\x1b", Metrics: map[string]float64{"loss": math.NaN(), "speed": 2, "norm": math.Inf(1)}})
		if len(got) != 1 || got["speed"] != 2 {
			t.Errorf("metrics %v, want the speed alone", got)
		}
	}
	var warned []string
	for _, e := range h.events {
		switch e.Type {
		case Warned:
			warned = append(warned, e.Message)
		case Progressed:
			if e.Unit != "steps" {
				t.Errorf("the unit is %q", e.Unit)
			}
		}
	}
	if want := "loss is NaN after 7 steps; it counts as unavailable, norm is +Inf after 7 steps; it counts as unavailable"; strings.Join(warned, ", ") != want {
		t.Errorf("warnings %q, want %s", warned, want)
	}
	if s := (trained{From: 1, To: 2}).String(); s != "steps 1 → 2, loss unavailable" {
		t.Errorf("%q", s)
	}
}

// TestWarnings: one action says so much and no more.
func TestWarnings(t *testing.T) {
	t.Parallel()
	h := &heard{}
	j := &job{r: &Runner{Clock: time.Now, Sink: h}, a: testAction()}
	for range 1000 {
		j.warn("hm")
	}
	if n := len(h.events); n != maxWarnings || !strings.Contains(h.events[n-1].Message, "more to say") {
		t.Errorf("%d warnings, the last %+v", n, h.events[n-1])
	}
}

func testAction() *plan.Action { return &plan.Action{Address: "trainer.acme.student"} }
