package openai

import (
	"net/http"
	"strings"
	"testing"

	"jupiter/plugins/sdk"
)

// A server that runs another model than the first time, under the same name, is refused before it is asked; and where it changes
// in the middle of a call, what it has not handed on yet goes nowhere. The first model is taken again.
func TestAnotherModel(t *testing.T) {
	t.Parallel()
	const first, second = `{"data":[{"id":"m","digest":"sha256:1"}]}`, `{"data":[{"id":"m","digest":"sha256:2"}]}`
	f := newFake(t)
	say := func(list string) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.list = list
	}
	say(first)
	c := client(t)
	other := func(what string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), "runs another model now than when this run first asked it (m sha256:") {
			t.Errorf("%s: %v", what, err)
		}
	}
	out, err := generate(t, c, call(t, c, f, nil), nil, set(3))
	if err != nil {
		t.Fatal(err)
	}
	right(t, out.records, 0, 3)

	say(second)
	asked := len(f.questions())
	_, err = generate(t, c, call(t, c, f, nil), nil, set(3))
	other("samples", err)
	_, err = complete(t, c, call(t, c, f, nil), &sdk.Sampling{}, prompts(3)...)
	other("answers", err)
	if n := len(f.questions()) - asked; n != 0 {
		t.Errorf("another model is asked %d times", n)
	}

	say(first)
	f.badly = func(_ http.ResponseWriter, _ *http.Request, q *question, _ int) bool {
		if q.text() == "prompt 2" {
			say(second)
		}
		return false
	}
	out, err = generate(t, c, call(t, c, f, nil), nil, set(3))
	other("a change in the middle", err)
	if len(out.records) != 0 {
		t.Errorf("%d samples of two models are handed on", len(out.records))
	}
	say(first)
	_, err = complete(t, c, call(t, c, f, nil), &sdk.Sampling{}, prompts(3)...)
	other("a change in the middle of answers", err)

	say(first)
	f.badly = nil
	if _, err := generate(t, c, call(t, c, f, nil), nil, set(3)); err != nil {
		t.Errorf("the first model again: %v", err)
	}
}
