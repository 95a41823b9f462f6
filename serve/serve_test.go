package serve

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jupiter/plugins/host"
	"jupiter/runtime"
)

// fake answers a prompt with its words turned round, one word a token. A prompt that begins with ! does something else.
type fake struct {
	mu     sync.Mutex
	list   []runtime.Model
	asked  []runtime.Ask
	by     []uint64 // versions
	inWork int
	most   int

	hold   chan struct{} // a prompt of !hold waits for it
	begun  chan struct{} // and says so here before
	ended  chan error    // what ended a !hold
	failed error         // of Models
}

func newFake() *fake {
	made := time.Unix(1_700_000_000, 0)
	return &fake{hold: make(chan struct{}), begun: make(chan struct{}, 100), ended: make(chan error, 100), list: []runtime.Model{
		{Version: 1, Digest: "sha256:1111111111111111", Made: made},
		{Version: 2, Digest: "sha256:2222222222222222", Made: made.Add(time.Hour), Current: true, Streams: true, Chats: true, FollowsSchema: true},
	}}
}

func (f *fake) Models(context.Context) ([]runtime.Model, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]runtime.Model{}, f.list...), f.failed
}

func (f *fake) Ask(ctx context.Context, m runtime.Model, a runtime.Ask, done func(int, runtime.Completed) error) error {
	f.mu.Lock()
	f.asked, f.by = append(f.asked, a), append(f.by, m.Version)
	f.inWork += len(a.Prompts)
	f.most = max(f.most, f.inWork)
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		f.inWork -= len(a.Prompts)
		f.mu.Unlock()
	}()
	for i, p := range a.Prompts {
		words := strings.Fields(p.Text)
		if n := len(p.Turns); n > 0 {
			words = strings.Fields(p.Turns[n-1].Content)
		}
		switch {
		case len(words) == 0:
		case words[0] == "!hold":
			f.begun <- struct{}{}
			select {
			case <-f.hold:
			case <-ctx.Done():
				f.ended <- context.Cause(ctx)
				return ctx.Err()
			}
		case words[0] == "!invalid":
			return &host.StageError{Plugin: "p", Stage: "generator p", Code: "InvalidArgument", Message: "no such thing"}
		case words[0] == "!broken":
			return errors.New("out of order")
		case words[0] == "!long":
			return done(i, runtime.Completed{Finish: "length", PromptTokens: 99})
		}
		text, finish := "", "stop"
		for k := len(words) - 1; k >= 0; k-- {
			if a.Sampling.MaxTokens > 0 && len(words)-1-k == int(a.Sampling.MaxTokens) {
				finish = "length"
				break
			}
			word := words[k] + " "
			text += word
			if m.Streams {
				t := runtime.Token{ID: uint32(k), Text: []byte(word), LogProb: -float64(k)}
				if err := a.Piece(i, runtime.Piece{Text: word, Tokens: []runtime.Token{t}}); err != nil {
					return err
				}
			}
			if words[k] == "!half" {
				return errors.New("it broke off")
			}
		}
		if m.Streams {
			if err := a.Piece(i, runtime.Piece{Tokens: []runtime.Token{{ID: 1, LogProb: -1}}}); err != nil {
				return err
			}
		}
		if err := done(i, runtime.Completed{Text: text + fmt.Sprint(i), Finish: finish, PromptTokens: uint64(len(words)), CompletionTokens: 3}); err != nil {
			return err
		}
	}
	return nil
}

// serving is a server under test.
type serving struct {
	*fake
	*Server
	t   *testing.T
	url string
	log *lines
}

type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func begin(t *testing.T, edit func(*Options)) *serving {
	t.Helper()
	log := &lines{}
	o := Options{Name: "words", Parallel: 4, Queue: 4, Timeout: time.Minute, Log: slog.New(slog.NewTextHandler(log, nil)), Clock: time.Now, Seed: func() uint64 { return 77 }}
	if edit != nil {
		edit(&o)
	}
	f := newFake()
	s := New(f, o)
	h := httptest.NewUnstartedServer(s)
	h.Config = s.HTTP(t.Context())
	h.Start()
	t.Cleanup(h.Close)
	return &serving{f, s, t, h.URL, log}
}

// send makes a request, and gives status and body. It may be called from any goroutine.
func (s *serving) send(method, path, body string, headers ...string) (*http.Response, string) {
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Error(err)
		return &http.Response{}, ""
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		if req.Header.Set(headers[i], headers[i+1]); headers[i] == "Host" {
			req.Host = headers[i+1]
		}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Error(err)
		return &http.Response{}, ""
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Error(err)
	}
	return resp, string(b)
}

// ok posts a request that must be answered.
func (s *serving) ok(path, body string) (out map[string]any) {
	s.t.Helper()
	resp, b := s.send("POST", path, body)
	if err := json.Unmarshal([]byte(b), &out); err != nil || resp.StatusCode != 200 {
		s.t.Fatalf("%s: status %d, %s", body, resp.StatusCode, b)
	}
	return out
}

func TestErrors(t *testing.T) {
	t.Parallel()
	s := begin(t, nil)
	comp := func(more string) string { return `{"model":"words","prompt":"a b"` + more + `}` }
	chat := func(messages, more string) string { return `{"model":"words","messages":` + messages + more + `}` }
	one := `[{"role":"user","content":"a b"}]`
	for _, tc := range []struct {
		path, body string
		status     int
		param      string // "": null
		says       string
	}{
		{"/v1/completions", ``, 415, "", "Content-Type"},
		{"/v1/completions", `{`, 400, "", "no JSON object"},
		{"/v1/completions", `[]`, 400, "", "no JSON object"},
		{"/v1/completions", `null`, 400, "", "no JSON object"},
		{"/v1/completions", `{} {}`, 400, "", "no JSON object"},
		{"/v1/completions", `{"prompt":"a"}`, 400, "model", "model is missing"},
		{"/v1/completions", `{"model":7,"prompt":"a"}`, 400, "model", "a string"},
		{"/v1/completions", `{"model":"gpt","prompt":"a"}`, 404, "model", `no model \"gpt\"`},
		{"/v1/completions", `{"model":"words:v9","prompt":"a"}`, 404, "model", "no model"},
		{"/v1/completions", `{"model":"words"}`, 400, "prompt", "prompt is missing"},
		{"/v1/completions", `{"model":"words","prompt":[1,2]}`, 400, "prompt", "token ids"},
		{"/v1/completions", `{"model":"words","prompt":[[1,2]]}`, 400, "prompt", "token ids"},
		{"/v1/completions", `{"model":"words","prompt":[]}`, 400, "prompt", "empty list"},
		{"/v1/completions", `{"model":"words","prompt":{"a":1}}`, 400, "prompt", "a string or a list"},
		{"/v1/completions", comp(`,"temperature":3`), 400, "temperature", "between 0 and 2"},
		{"/v1/completions", comp(`,"temperature":"hot"`), 400, "temperature", "a number"},
		{"/v1/completions", comp(`,"top_p":0`), 400, "top_p", "above 0"},
		{"/v1/completions", comp(`,"top_p":1.5`), 400, "top_p", "between 0 and 1"},
		{"/v1/completions", comp(`,"top_k":-1`), 400, "top_k", "between 0"},
		{"/v1/completions", comp(`,"min_p":2`), 400, "min_p", "between 0 and 1"},
		{"/v1/completions", comp(`,"repetition_penalty":0`), 400, "repetition_penalty", "between"},
		{"/v1/completions", comp(`,"max_tokens":0`), 400, "max_tokens", "between 1"},
		{"/v1/completions", comp(`,"max_tokens":1.5`), 400, "max_tokens", "whole number"},
		{"/v1/completions", comp(`,"n":0`), 400, "n", "between 1 and 128"},
		{"/v1/completions", `{"model":"words","prompt":["a","b"],"n":100}`, 400, "prompt", "128 texts"},
		{"/v1/completions", comp(`,"best_of":2`), 400, "best_of", "no answer is left out"},
		{"/v1/completions", comp(`,"stop":""`), 400, "stop", "between 1"},
		{"/v1/completions", comp(`,"stop":7`), 400, "stop", "a string or a list"},
		{"/v1/completions", comp(`,"stop":["a","b","c","d","e","f","g","h","i","j","k","l","m","n","o","p","q"]`), 400, "stop", "16"},
		{"/v1/completions", comp(`,"seed":1e99`), 400, "seed", "whole number"},
		{"/v1/completions", comp(`,"echo":true`), 400, "echo", "not supported"},
		{"/v1/completions", comp(`,"suffix":"x"`), 400, "suffix", "not supported"},
		{"/v1/completions", comp(`,"logprobs":2,"temperature":0`), 400, "logprobs", "at most the one"},
		{"/v1/completions", comp(`,"logprobs":1`), 400, "logprobs", "temperature is 0"},
		{"/v1/completions", comp(`,"presence_penalty":0.5`), 400, "presence_penalty", "not supported"},
		{"/v1/completions", comp(`,"frequency_penalty":1`), 400, "frequency_penalty", "not supported"},
		{"/v1/completions", comp(`,"logit_bias":{"5":1}`), 400, "logit_bias", "not supported"},
		{"/v1/completions", comp(`,"stream":"yes"`), 400, "stream", "true or false"},
		{"/v1/completions", comp(`,"stream_options":{"include_usage":true}`), 400, "stream_options", "stream = true"},
		{"/v1/completions", comp(`,"reasoning_effort":"high"`), 400, "reasoning_effort", "does not have"},
		{"/v1/completions", `{"model":"words:v1","prompt":"a","logprobs":0}`, 400, "logprobs", "does not say"},
		{"/v1/completions", `{"model":"words","prompt":"!invalid"}`, 400, "", "no such thing"},
		{"/v1/completions", `{"model":"words","prompt":"!broken"}`, 500, "", "out of order"},
		{"/v1/completions", `{"model":"words","prompt":"!half","stream":false}`, 500, "", "broke off"},
		{"/v1/completions", `{"model":"words","prompt":"!long"}`, 400, "prompt", "longer than"},
		{"/v1/completions", `{"model":"words","prompt":"` + strings.Repeat("x", maxBody) + `"}`, 413, "", "more than 2097152 bytes"},

		{"/v1/chat/completions", `{"model":"words"}`, 400, "messages", "missing or empty"},
		{"/v1/chat/completions", chat(`[]`, ""), 400, "messages", "missing or empty"},
		{"/v1/chat/completions", chat(`"hi"`, ""), 400, "messages", "a list of messages"},
		{"/v1/chat/completions", chat(`["hi"]`, ""), 400, "messages", "a list of messages"},
		{"/v1/chat/completions", chat(`[{"role":"user"}]`, ""), 400, "messages[0].content", "a string or a list"},
		{"/v1/chat/completions", chat(`[{"role":"user","content":null}]`, ""), 400, "messages[0].content", "a string or a list"},
		{"/v1/chat/completions", chat(`[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}]`, ""), 400, "messages[0].content", "image_url"},
		{"/v1/chat/completions", chat(`[{"role":"tool","content":"x"}]`, ""), 400, "messages[0].role", `not \"tool\"`},
		{"/v1/chat/completions", chat(`[{"role":"user","content":"x","name":"ann"}]`, ""), 400, "messages[0].name", "not supported"},
		{"/v1/chat/completions", chat(`[{"role":"user","content":"x"},{"role":"assistant","content":"y"}]`, ""), 400, "messages[1]", "the user's"},
		{"/v1/chat/completions", chat(one, `,"tools":[{"type":"function"}]`), 400, "tools", "calls no tools"},
		{"/v1/chat/completions", chat(one, `,"tool_choice":"required"`), 400, "tool_choice", "calls no tools"},
		{"/v1/chat/completions", chat(one, `,"modalities":["text","audio"]`), 400, "modalities", "text"},
		{"/v1/chat/completions", chat(one, `,"audio":{}`), 400, "audio", "does not have"},
		{"/v1/chat/completions", chat(one, `,"response_format":{"type":"json_object"}`), 400, "response_format", "json_schema"},
		{"/v1/chat/completions", chat(one, `,"max_tokens":5,"max_completion_tokens":6`), 400, "max_tokens", "the same"},
		{"/v1/chat/completions", chat(one, `,"top_logprobs":1`), 400, "top_logprobs", "logprobs = true"},
		{"/v1/chat/completions", chat(one, `,"logprobs":true,"top_logprobs":5`), 400, "top_logprobs", "at most the one"},
		{"/v1/chat/completions", `{"model":"words:v1","messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"}]}`, 400, "messages", "no chat"},
		{"/v1/chat/completions", `{"model":"words:v1","messages":[{"role":"user","content":"a"}],"response_format":{"type":"json_schema","json_schema":{"schema":{}}}}`, 400, "response_format", "cannot follow"},
		{"/v1/chat/completions", `{"model":"words","messages":[{"role":"user","content":"!long"}]}`, 400, "messages", "longer than"},
		{"/v1/embeddings", `{}`, 404, "", "there is no /v1/embeddings"},
	} {
		resp, b := s.send("POST", tc.path, tc.body)
		var e struct {
			Error *struct {
				Message, Type string
				Param, Code   *string
			}
		}
		if err := json.Unmarshal([]byte(b), &e); err != nil || e.Error == nil {
			t.Errorf("%.80s: %s", tc.body, b)
			continue
		}
		param := ""
		if e.Error.Param != nil {
			param = *e.Error.Param
		}
		if resp.StatusCode != tc.status || param != tc.param || !strings.Contains(b, tc.says) || e.Error.Type == "" || resp.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%.80s: status %d, %s; want %d about %q that says %q", tc.body, resp.StatusCode, b, tc.status, tc.param, tc.says)
		}
	}
	for path, allow := range map[string]string{"/v1/completions": "POST", "/v1/models": "GET", "/health": "GET"} {
		method := map[string]string{"POST": "GET", "GET": "DELETE"}[allow]
		if resp, b := s.send(method, path, ""); resp.StatusCode != 405 || resp.Header.Get("Allow") != allow || !strings.Contains(b, `"error"`) {
			t.Errorf("%s %s: status %d, %s", method, path, resp.StatusCode, b)
		}
	}
	if resp, b := s.send("GET", "/v1/models/other", ""); resp.StatusCode != 404 || !strings.Contains(b, "model_not_found") {
		t.Errorf("status %d, %s", resp.StatusCode, b)
	}
	if log := s.log.String(); strings.Contains(log, "a b") || !strings.Contains(log, "status=404") {
		t.Errorf("the log: %s", log)
	}
}

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

func TestToken(t *testing.T) {
	t.Parallel()
	s := begin(t, func(o *Options) { o.Token = "a long enough token" })
	for header, want := range map[string]int{
		"": 401, "Bearer": 401, "Bearer ": 401, "Bearer wrong": 401, "a long enough token": 401, "Basic a long enough token": 401,
		"Bearer a long enough token": 200, "bearer a long enough token": 200, "Bearer a long enough tokem": 401,
	} {
		resp, b := s.send("GET", "/v1/models", "", "Authorization", header)
		if resp.StatusCode != want || want == 401 && (!strings.Contains(b, "invalid_api_key") || resp.Header.Get("WWW-Authenticate") == "") {
			t.Errorf("%q: status %d, %s", header, resp.StatusCode, b)
		}
	}
	if resp, _ := s.send("POST", "/v1/nothing", "{}"); resp.StatusCode != 401 {
		t.Errorf("what there is can be found out: status %d", resp.StatusCode)
	}
	if resp, _ := s.send("GET", "/health", ""); resp.StatusCode != 200 {
		t.Errorf("health: status %d", resp.StatusCode)
	}
	if strings.Contains(s.log.String(), "enough") {
		t.Error("the token is in the log")
	}
}

// TestOtherNames: a page that a browser has from elsewhere reaches a server on this machine by a name of its own.
func TestOtherNames(t *testing.T) {
	t.Parallel()
	s := begin(t, func(o *Options) { o.Local = true })
	for name, want := range map[string]int{"localhost:8080": 200, "LOCALHOST": 200, "127.0.0.1": 200, "127.9.9.9:1": 200, "[::1]:8080": 200, "example.com": 403, "localhost.example.com:80": 403, "10.0.0.1": 403} {
		if resp, _ := s.send("GET", "/v1/models", "", "Host", name); resp.StatusCode != want {
			t.Errorf("%s: status %d, want %d", name, resp.StatusCode, want)
		}
	}
	if resp, _ := s.send("POST", "/v1/completions", `{"model":"words","prompt":"a"}`, "Content-Type", "text/plain"); resp.StatusCode != 415 {
		t.Errorf("a request that a page can send unasked: status %d", resp.StatusCode)
	}
}

// TestFull: no more texts are in work than may be, some requests wait, and the others are told to come again.
func TestFull(t *testing.T) {
	t.Parallel()
	s := begin(t, func(o *Options) { o.Parallel, o.Queue = 3, 2 })
	var sent sync.WaitGroup
	statuses := make(chan int, 10)
	post := func(body string) {
		sent.Go(func() {
			resp, _ := s.send("POST", "/v1/completions", body)
			statuses <- resp.StatusCode
		})
	}
	for range 3 {
		post(`{"model":"words","prompt":"!hold"}`)
		<-s.begun
	}
	post(`{"model":"words","prompt":["a","b","c","d","e"]}`) // more than there can ever be room for
	post(`{"model":"words","prompt":"a"}`)
	for s.waiting.Load() < 2 {
		time.Sleep(time.Millisecond)
	}
	resp, b := s.send("POST", "/v1/completions", `{"model":"words","prompt":"a"}`)
	if resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" || !strings.Contains(b, "server_full") {
		t.Errorf("status %d, %s", resp.StatusCode, b)
	}
	close(s.hold)
	sent.Wait()
	close(statuses)
	for status := range statuses {
		if status != 200 {
			t.Errorf("status %d", status)
		}
	}
	if s.most > 5 || s.waiting.Load() != 0 || !s.slots.TryAcquire(3) {
		t.Errorf("%d texts in work, %d requests waiting", s.most, s.waiting.Load())
	}
}

// TestGone: what a client asked for ends with it, in work and waiting.
func TestGone(t *testing.T) {
	t.Parallel()
	s := begin(t, func(o *Options) { o.Parallel = 1 })
	for _, stream := range []string{"true", "false"} {
		post := func() (cancel func(), failed chan error) {
			ctx, cancel := context.WithCancel(t.Context())
			failed = make(chan error, 1)
			go func() {
				req, err := http.NewRequestWithContext(ctx, "POST", s.url+"/v1/completions", strings.NewReader(`{"model":"words","prompt":"!hold","stream":`+stream+`}`))
				if err == nil {
					req.Header.Set("Content-Type", "application/json")
					_, err = http.DefaultClient.Do(req)
				}
				failed <- err
			}()
			return cancel, failed
		}
		stop, working := post()
		<-s.begun
		give, waits := post()
		for s.waiting.Load() == 0 {
			time.Sleep(time.Millisecond)
		}
		give()
		if err := <-waits; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		for s.waiting.Load() > 0 {
			time.Sleep(time.Millisecond)
		}
		stop()
		if err := <-working; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if cause := <-s.ended; !errors.Is(cause, context.Canceled) {
			t.Error(cause)
		}
	}
	s.ok("/v1/completions", `{"model":"words","prompt":"a"}`)
	for strings.Count(s.log.String(), "status=499") < 4 {
		time.Sleep(time.Millisecond)
	}
	if len(s.asked) != 3 {
		t.Errorf("%d questions: one that never had its turn was asked", len(s.asked))
	}
}

// TestStuck: a client that takes nothing of its answer is cut off.
func TestStuck(t *testing.T) {
	t.Parallel()
	s := begin(t, func(o *Options) {
		o.Clock = func() time.Time { return time.Now().Add(300*time.Millisecond - sendWithin) } // 300 ms from here on
	})
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	body := `{"model":"words","stream":true,"prompt":"` + strings.Repeat("x ", 300_000) + `"}` // 60 MB of chunks: no buffer holds them
	fmt.Fprintf(conn, "POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	for !strings.Contains(s.log.String(), "status=499") {
		time.Sleep(time.Millisecond)
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	s := begin(t, func(o *Options) { o.Timeout, o.Parallel = 50*time.Millisecond, 1 })
	resp, b := s.send("POST", "/v1/completions", `{"model":"words","prompt":"!hold"}`)
	if resp.StatusCode != 504 || !strings.Contains(b, `"timeout"`) {
		t.Errorf("status %d, %s", resp.StatusCode, b)
	}
	if cause := <-s.ended; !errors.Is(cause, errTimeout) {
		t.Error(cause)
	}
}

// TestTogether: many clients at the same time each have their own answer.
func TestTogether(t *testing.T) {
	t.Parallel()
	s := begin(t, func(o *Options) { o.Queue = 100 })
	var sent sync.WaitGroup
	for i := range 60 {
		sent.Go(func() {
			stream := i%2 == 0
			resp, b := s.send("POST", "/v1/completions", fmt.Sprintf(`{"model":"words","prompt":"x%d y%d","stream":%v}`, i, i, stream))
			if resp.StatusCode != 200 || !strings.Contains(b, fmt.Sprintf("y%d ", i)) || strings.Contains(b, fmt.Sprintf("y%d ", i+1)) {
				t.Errorf("request %d: status %d, %s", i, resp.StatusCode, b)
			}
		})
	}
	sent.Wait()
	if s.most > 4 {
		t.Errorf("%d texts in work", s.most)
	}
}

// TestEnding: a server that is ended lets requests in work come to their end; cancelled, it tells them.
func TestEnding(t *testing.T) {
	t.Parallel()
	for _, cancelled := range []bool{false, true} {
		f := newFake()
		s := New(f, Options{Name: "words", Parallel: 4, Queue: 4, Timeout: time.Minute, Log: slog.New(slog.DiscardHandler), Clock: time.Now, Seed: func() uint64 { return 1 }})
		ctx, cancel := context.WithCancel(t.Context())
		h := httptest.NewUnstartedServer(s)
		h.Config = s.HTTP(ctx)
		h.Start()
		answered := make(chan int, 1)
		go func() {
			resp, err := http.Post(h.URL+"/v1/completions", "application/json", strings.NewReader(`{"model":"words","prompt":"!hold"}`))
			if err != nil {
				t.Error(err)
				answered <- 0
				return
			}
			resp.Body.Close()
			answered <- resp.StatusCode
		}()
		<-f.begun
		down := make(chan error, 1)
		go func() { down <- h.Config.Shutdown(context.Background()) }()
		want := 200
		if cancelled {
			want = 503
			cancel()
		} else {
			close(f.hold)
		}
		if got := <-answered; got != want {
			t.Errorf("cancelled %v: status %d, want %d", cancelled, got, want)
		}
		if err := <-down; err != nil {
			t.Error(err)
		}
		cancel()
		h.Close()
	}
}

// TestLogTexts: prompts and answers are in the log where that is asked for.
func TestLogTexts(t *testing.T) {
	t.Parallel()
	s := begin(t, func(o *Options) { o.LogTexts = true })
	s.ok("/v1/completions", `{"model":"words","prompt":"one two\u001b[2J"}`)
	log := s.log.String()
	if !strings.Contains(log, `two\x1b[2J`) || strings.Contains(log, "\x1b") {
		t.Errorf("%q", log)
	}
}
