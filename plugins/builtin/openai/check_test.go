package openai

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"jupiter/plugins/proto/pluginv1"
)

// Check says what a server can do, and what of that is a problem follows from the configuration.
func TestCheck(t *testing.T) {
	t.Parallel()
	c := client(t)
	check := func(f *fake, more values) map[string]string {
		t.Helper()
		r, err := c.Plugin.Check(t.Context(), &pluginv1.CheckRequest{Kind: kindOf, Stage: "openai", Config: call(t, c, f, more).Config})
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]string{}
		for _, x := range r.Findings {
			all[x.Subject] = strings.TrimPrefix(x.Level.String(), "LEVEL_") + " " + x.Detail
		}
		return all
	}
	want := func(name string, got map[string]string, want map[string]string) {
		t.Helper()
		for subject, w := range want {
			if !strings.HasPrefix(got[subject], w) {
				t.Errorf("%s: %s is %q, want %q", name, subject, got[subject], w)
			}
		}
	}
	able := newFake(t)
	able.badly = func(w http.ResponseWriter, _ *http.Request, q *question, _ int) bool {
		if q.Format != nil {
			able.answer(w, q, `{"n":1}`, "stop")
			return true
		}
		return false
	}
	want("able", check(able, nil), map[string]string{"server": "OK http", "model": "OK m", "chat": "OK answers, 33 tokens read", "completions": "OK", "usage": "OK", "system message": "OK",
		"logprobs": "ABSENT the answer has no log-probabilities", "json schema": "OK", "seed": "OK the same seed",
		"drawing": "ABSENT seeds 7, 8 and 9 give the same text at temperature 1"})
	for _, q := range able.questions() {
		if q.MaxTokens > schemaTokens {
			t.Errorf("a question for %d tokens", q.MaxTokens)
		}
	}
	for begun, w := range map[string]string{`{"n":1`: "OK the answer begins as JSON; it was cut", " ": "ABSENT it is not known", "The sea": "ABSENT " + able.URL} {
		able.badly = func(w http.ResponseWriter, _ *http.Request, q *question, _ int) bool {
			if q.Format != nil {
				able.answer(w, q, begun, "length")
			}
			return q.Format != nil
		}
		want("an answer that was cut", check(able, nil), map[string]string{"json schema": w})
	}
	want("what is asked for", check(able, values{"logprobs": true}), map[string]string{"logprobs": "PROBLEM"})

	able.badly = func(w http.ResponseWriter, _ *http.Request, q *question, _ int) bool {
		able.answer(w, q, fmt.Sprint("answer ", max(q.Seed, 8)), "stop")
		return true
	}
	want("drawing", check(able, nil), map[string]string{"seed": "OK", "drawing": "OK another seed gives another text"})
	if got := check(able, values{"temperature": 0})["drawing"]; got != "" {
		t.Errorf("drawing, where nothing is to be drawn: %q", got)
	}

	n := 0
	poor := newFake(t)
	poor.plain = true
	poor.badly = func(w http.ResponseWriter, r *http.Request, q *question, _ int) bool {
		switch {
		case strings.HasSuffix(r.URL.Path, "/v1/completions"):
			http.NotFound(w, r)
		case q.Format != nil:
			refuse(w, 400, "response_format is not supported")
		case q.Logprobs != nil:
			refuse(w, 400, "logprobs are not supported")
		default:
			n++
			poor.answer(w, q, strings.Repeat("x", n), "stop")
		}
		return true
	}
	got := check(poor, nil)
	want("poor", got, map[string]string{"chat": "OK", "completions": "ABSENT", "usage": "ABSENT", "logprobs": "ABSENT", "json schema": "ABSENT", "seed": "ABSENT the same seed gives other texts"})
	if !strings.Contains(got["json schema"], "response_format is not supported") {
		t.Errorf("json schema: %q", got["json schema"])
	}
	want("poor, asked for more", check(poor, values{"api": "completions"}), map[string]string{"completions": "PROBLEM"})
	want("poor, asked for JSON", check(poor, values{"json_schema": values{"type": "object"}}), map[string]string{"json schema": "PROBLEM"})

	want("another model", check(able, values{"model_name": "x"}), map[string]string{"server": `PROBLEM ` + able.URL + `/v1 has no model "x"; it has m`})
	want("no key", check(able, values{"api_key_env": "NO_SUCH_KEY_HERE"}), map[string]string{"key": "PROBLEM the environment variable NO_SUCH_KEY_HERE"})
	able.Close()
	want("nobody", check(able, nil), map[string]string{"server": "PROBLEM http"})
	want("a program", check(poor, served(t, "well", values{"args": []string{"-port", "{port}"}})), map[string]string{"program": "OK /", "server": "OK"})
	want("no program", check(poor, values{"base_url": "", "serve": values{"command": "no-such-program-here"}}), map[string]string{"program": "PROBLEM"})
	want("a file of ours", check(poor, values{"base_url": "", "serve": values{"command": "sh"}}), map[string]string{"program": "OK /", "model": "OK it is given"})
}
