package serve

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jupiter/runtime"
)

// TestAsked: what a request says reaches the generator, and what changes nothing is let pass.
func TestAsked(t *testing.T) {
	t.Parallel()
	s := begin(t, nil)
	turns := `[{"role":"developer","content":"be brief"},{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"text","text":"b"},{"type":"text","text":"c"}]},{"role":"user","content":"d","name":null}]`
	for _, tc := range []struct {
		path, body string
		want       runtime.Ask
	}{
		{"/v1/completions", `{"model":"words","prompt":"a b"}`, runtime.Ask{Prompts: []prompt{{Text: "a b"}}, Sampling: runtime.Sampling{Temperature: 1}, Seed: 77}},
		{"/v1/completions", `{"model":"words","prompt":["a","b"],"n":2,"best_of":2,"temperature":0.5,"top_p":0.9,"top_k":5,"min_p":0.1,"repetition_penalty":1.1,"max_tokens":7,"stop":"x","seed":-1,
			"echo":false,"suffix":null,"presence_penalty":0,"frequency_penalty":0.0,"logit_bias":{},"user":"ann","metadata":{"a":"b"},"store":true,"service_tier":"auto"}`,
			runtime.Ask{Prompts: []prompt{{Text: "a"}, {Text: "a"}, {Text: "b"}, {Text: "b"}}, Seed: 1<<64 - 1, Sampling: runtime.Sampling{Temperature: 0.5, TopP: 0.9, TopK: 5, MinP: 0.1, RepetitionPenalty: 1.1, MaxTokens: 7, Stop: []string{"x"}}}},
		{"/v1/completions", `{"model":"words","prompt":"","top_p":1,"repetition_penalty":1,"stop":["x","y"],"temperature":0}`, runtime.Ask{Prompts: []prompt{{}}, Seed: 77, Sampling: runtime.Sampling{Stop: []string{"x", "y"}}}},
		{"/v1/chat/completions", `{"model":"words","messages":[{"role":"user","content":"a b"}],"max_completion_tokens":9,"tools":[],"tool_choice":"auto","modalities":["text"],"response_format":{"type":"text"}}`,
			runtime.Ask{Prompts: []prompt{{Text: "a b"}}, Seed: 77, Sampling: runtime.Sampling{Temperature: 1, MaxTokens: 9}}},
		{"/v1/chat/completions", `{"model":"words","messages":[{"role":"system","content":"be brief"},{"role":"user","content":"a b"}]}`,
			runtime.Ask{Prompts: []prompt{{System: "be brief", Text: "a b"}}, Seed: 77, Sampling: runtime.Sampling{Temperature: 1}}},
		{"/v1/chat/completions", `{"model":"words","messages":` + turns + `,"response_format":{"type":"json_schema","json_schema":{"name":"x","strict":true,"schema":{"type":"object"}}}}`,
			runtime.Ask{Prompts: []prompt{{Turns: []runtime.Turn{{Role: "system", Content: "be brief"}, {Role: "user", Content: "a"}, {Role: "assistant", Content: "bc"}, {Role: "user", Content: "d"}}}}, Seed: 77,
				Sampling: runtime.Sampling{Temperature: 1, JSONSchema: []byte(`{"type":"object"}`)}}},
	} {
		s.ok(tc.path, tc.body)
		got := s.asked[len(s.asked)-1]
		got.Piece = nil
		if d := cmp.Diff(tc.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", tc.body, d)
		}
	}
	c := begin(t, func(o *Options) { o.Chat = true })
	c.ok("/v1/chat/completions", `{"model":"words","messages":[{"role":"user","content":"a b"}]}`)
	if d := cmp.Diff([]prompt{{Turns: []runtime.Turn{{Role: "user", Content: "a b"}}}}, c.asked[0].Prompts); d != "" {
		t.Errorf("with Chat (-want +got):\n%s", d)
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	s := begin(t, nil)
	for _, model := range []string{"words", "words:v1"} { // the second shows no pieces
		got := s.ok("/v1/completions", `{"model":"`+model+`","prompt":["a b","c"],"n":2}`)
		var texts []string
		for i, c := range got["choices"].([]any) {
			c := c.(map[string]any)
			texts = append(texts, c["text"].(string))
			if c["index"] != float64(i) || c["finish_reason"] != "stop" || c["logprobs"] != nil {
				t.Errorf("choice %v", c)
			}
		}
		if d := cmp.Diff([]string{"b a 0", "b a 1", "c 2", "c 3"}, texts); d != "" {
			t.Errorf("%s (-want +got):\n%s", model, d)
		}
		if d := cmp.Diff(map[string]any{"prompt_tokens": 3.0, "completion_tokens": 12.0, "total_tokens": 15.0}, got["usage"]); d != "" {
			t.Errorf("%s (-want +got):\n%s", model, d)
		}
		if id, _ := got["id"].(string); !strings.HasPrefix(id, "cmpl-") || got["object"] != "text_completion" {
			t.Errorf("%v", got)
		}
	}
	got := s.ok("/v1/chat/completions", `{"model":"words:v2","messages":[{"role":"user","content":"a b c"}],"max_tokens":2,"logprobs":true,"top_logprobs":1,"temperature":0}`)
	delete(got, "id")
	delete(got, "created")
	token := func(text string, lp float64, bytes ...any) any {
		one := map[string]any{"token": text, "logprob": lp, "bytes": bytes}
		return map[string]any{"token": text, "logprob": lp, "bytes": bytes, "top_logprobs": []any{one}}
	}
	want := map[string]any{"object": "chat.completion", "model": "words:v2", "system_fingerprint": "fp_222222222222",
		"usage": map[string]any{"prompt_tokens": 3.0, "completion_tokens": 3.0, "total_tokens": 6.0},
		"choices": []any{map[string]any{"index": 0.0, "finish_reason": "length", "message": map[string]any{"role": "assistant", "content": "c b 0", "refusal": nil},
			"logprobs": map[string]any{"refusal": nil, "content": []any{token("c ", -2, 99.0, 32.0), token("b ", -1, 98.0, 32.0), token("", -1)}}}}}
	// The fake's last token has no text, and begins where its answer has one more character.
	want["choices"].([]any)[0].(map[string]any)["logprobs"].(map[string]any)["content"].([]any)[2] = map[string]any{"token": "", "logprob": -1.0, "bytes": []any{}, "top_logprobs": []any{map[string]any{"token": "", "logprob": -1.0, "bytes": []any{}}}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// events reads a stream to its end: the objects, and whether it ended as it should.
func events(t *testing.T, r io.Reader) (all []map[string]any, done bool) {
	t.Helper()
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		switch {
		case lines.Text() == "":
		case !ok:
			t.Errorf("line %q", lines.Text())
		case data == "[DONE]":
			done = true
		default:
			var e map[string]any
			if err := json.Unmarshal([]byte(data), &e); err != nil {
				t.Error(err)
			}
			all = append(all, e)
		}
	}
	return all, done
}

func TestStreams(t *testing.T) {
	t.Parallel()
	s := begin(t, nil)
	for model, pieces := range map[string]int{"words": 4, "words:v1": 1} {
		resp, b := s.send("POST", "/v1/completions", `{"model":"`+model+`","prompt":["a b c","d e f"],"stream":true,"stream_options":{"include_usage":true}}`)
		all, done := events(t, strings.NewReader(b))
		texts, chunks, ends := [2]string{}, [2]int{}, 0
		for _, e := range all[:len(all)-1] {
			for _, c := range e["choices"].([]any) {
				c := c.(map[string]any)
				i := int(c["index"].(float64))
				if texts[i] += c["text"].(string); c["text"] != "" {
					chunks[i]++
				}
				if c["finish_reason"] == "stop" {
					ends++
				}
			}
		}
		last := all[len(all)-1]
		if !done || texts != [2]string{"c b a 0", "f e d 1"} || chunks != [2]int{pieces, pieces} || ends != 2 || len(last["choices"].([]any)) != 0 || last["usage"].(map[string]any)["total_tokens"] != 12.0 {
			t.Errorf("%s: %s", model, b)
		}
		if typ := resp.Header.Get("Content-Type"); typ != "text/event-stream" {
			t.Error(typ)
		}
	}
	_, b := s.send("POST", "/v1/chat/completions", `{"model":"words","messages":[{"role":"user","content":"a b"}],"stream":true}`)
	all, done := events(t, strings.NewReader(b))
	text, role := "", 0
	for _, e := range all {
		d := e["choices"].([]any)[0].(map[string]any)["delta"].(map[string]any)
		if d["role"] == "assistant" {
			role++
		}
		if c, ok := d["content"].(string); ok {
			text += c
		}
		if e["usage"] != nil || e["object"] != "chat.completion.chunk" {
			t.Errorf("%v", e)
		}
	}
	if !done || role != 1 || text != "b a 0" {
		t.Errorf("%s", b)
	}
	// What fails before the first chunk has a status; what fails later says so in the stream, which has no end then.
	if resp, b := s.send("POST", "/v1/completions", `{"model":"words","prompt":"!broken","stream":true}`); resp.StatusCode != 500 {
		t.Errorf("status %d, %s", resp.StatusCode, b)
	}
	resp, b := s.send("POST", "/v1/completions", `{"model":"words","prompt":"!half a","stream":true}`)
	all, done = events(t, strings.NewReader(b))
	if resp.StatusCode != 200 || done || !strings.Contains(fmt.Sprint(all[len(all)-1]["error"]), "broke off") {
		t.Errorf("status %d, %s", resp.StatusCode, b)
	}
	if !strings.Contains(s.log.String(), "status=500") {
		t.Errorf("the log: %s", s.log)
	}
}

// TestModels: the name stands for the generator in use, from one request to the next.
func TestModels(t *testing.T) {
	t.Parallel()
	s := begin(t, nil)
	ids := func(s *serving) (ids []string) {
		_, b := s.send("GET", "/v1/models", "")
		var list struct{ Data []struct{ ID string } }
		if err := json.Unmarshal([]byte(b), &list); err != nil {
			t.Fatal(err)
		}
		for _, m := range list.Data {
			ids = append(ids, m.ID)
		}
		return ids
	}
	if d := cmp.Diff([]string{"words", "words:v2", "words:v1"}, ids(s)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	answers := func() any { return s.ok("/v1/completions", `{"model":"words","prompt":"a"}`)["model"] }
	before := answers()
	s.mu.Lock()
	s.list[1].Current = false
	s.list = append(s.list, runtime.Model{Version: 3, Digest: "sha256:3", Current: true, Made: time.Unix(1, 0)})
	s.mu.Unlock()
	if after := answers(); before != "words:v2" || after != "words:v3" || s.by[0] != 2 || s.by[1] != 3 {
		t.Errorf("%v answered, and then %v", before, after)
	}
	if _, b := s.send("GET", "/health", ""); !strings.Contains(b, "words:v3") {
		t.Error(b)
	}
	if d := cmp.Diff([]string{"words", "words:v3", "words:v2", "words:v1"}, ids(s)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	one := begin(t, func(o *Options) { o.Version = 1 })
	if d := cmp.Diff([]string{"words", "words:v1"}, ids(one)); d != "" {
		t.Errorf("a chosen version (-want +got):\n%s", d)
	}
	if got := one.ok("/v1/completions", `{"model":"words","prompt":"a"}`)["model"]; got != "words:v1" {
		t.Error(got)
	}
	if resp, _ := one.send("POST", "/v1/completions", `{"model":"words:v2","prompt":"a"}`); resp.StatusCode != 404 {
		t.Errorf("status %d", resp.StatusCode)
	}
	s.mu.Lock()
	s.list = nil
	s.mu.Unlock()
	if resp, b := s.send("GET", "/health", ""); resp.StatusCode != 503 || !strings.Contains(b, "no generator yet") {
		t.Errorf("status %d, %s", resp.StatusCode, b)
	}
	if got := ids(s); len(got) != 0 {
		t.Error(got)
	}
}
