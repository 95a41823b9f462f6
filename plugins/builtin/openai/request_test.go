package openai

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
	"jupiter/plugins/sdk/sdktest"
)

// What is asked follows from the configuration, and from what a call says instead.
func TestRequests(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	c := client(t)
	first := func(more values, s *sdk.Sampling, p *sdk.Prompt) question {
		t.Helper()
		n := len(f.questions())
		if _, err := complete(t, c, call(t, c, f, more), s, p); err != nil {
			t.Fatal(err)
		}
		return f.questions()[n]
	}
	ask := &sdk.Prompt{Id: "a", Text: "hello"}
	q := first(values{"temperature": 0.7, "top_p": 0.9, "max_tokens": 11, "stop": []string{"\n"}, "extra": values{"top_k": 40, "reasoning": values{"effort": "low"}}}, nil, ask)
	if q.Path != "/v1/chat/completions" || len(q.Messages) != 1 || q.Messages[0].Role != "user" || q.Messages[0].Content != "hello" || q.Model != "m" {
		t.Errorf("a prompt without a system message: %+v", q)
	}
	if q.Temperature != 0.7 || q.TopP != 0.9 || q.MaxTokens != 11 || len(q.Stop) != 1 || q.Raw["top_k"] != 40.0 || q.Raw["seed"] == nil || fmt.Sprint(q.Raw["reasoning"]) != "map[effort:low]" || q.Raw["stream"] != nil {
		t.Errorf("parameters: %v", q.Raw)
	}
	system := &sdk.Prompt{Id: "a", System: "be brief", Text: "hello"}
	if q := first(nil, nil, system); len(q.Messages) != 2 || q.Messages[0].Role != "system" || q.Messages[0].Content != "be brief" {
		t.Errorf("a system message: %+v", q.Messages)
	}
	q = first(values{"api": "completions", "omit": []string{"seed", "temperature"}}, nil, ask)
	if q.Path != "/v1/completions" || q.text() != "hello" || q.Raw["seed"] != nil || q.Raw["temperature"] != nil {
		t.Errorf("completions: %v", q.Raw)
	}
	// A message of the host stands for the configuration: 0 is greedy, and no filter.
	q = first(values{"temperature": 0.7, "top_p": 0.9, "max_tokens": 11, "stop": []string{"x"}}, &sdk.Sampling{}, ask)
	if q.Raw["temperature"] != 0.0 || q.TopP != 1 || q.MaxTokens != 11 || q.Stop != nil || q.Raw["top_k"] != nil {
		t.Errorf("greedily: %v", q.Raw)
	}
	q = first(nil, &sdk.Sampling{Temperature: 1, TopP: 0.5, TopK: 3, MinP: 0.1, RepetitionPenalty: 1.2, MaxTokens: 5, Stop: []string{"END"}}, ask)
	if q.TopP != 0.5 || q.Raw["top_k"] != 3.0 || q.Raw["min_p"] != 0.1 || q.Raw["repeat_penalty"] != 1.2 || q.MaxTokens != 5 || q.Stop[0] != "END" {
		t.Errorf("as the call says: %v", q.Raw)
	}
	if q := first(values{"model_name": ""}, nil, ask); q.Model != "m" {
		t.Errorf("without a name the model is %q, want the only one", q.Model)
	}
	if a, b := first(nil, nil, ask), first(nil, nil, &sdk.Prompt{Id: "b", Text: "hello"}); a.Seed == b.Seed || a.Seed > 1<<31-1 {
		t.Errorf("seeds %d and %d", a.Seed, b.Seed)
	}
	_, err := complete(t, c, call(t, c, f, values{"api": "completions"}), nil, system)
	if err == nil || !strings.Contains(err.Error(), `prompt "a" has a system message`) {
		t.Errorf("a system message to completions: %v", err)
	}
}

// To a GGUF file of ours a prompt without a system message is the beginning of a text, and the filters that the servers of
// such files have by themselves are off.
func TestRequestsToGGUF(t *testing.T) {
	t.Parallel()
	cfg := config{API: "auto", Temperature: 1, TopP: 1, MaxTokens: 8}
	f := &form{c: cfg, s: cfg.sampling(nil, true), endpoint: &endpoint{gguf: true}}
	r, err := f.request(&sdk.Prompt{Text: "7 ft"}, 1<<40|5)
	if err != nil || r.path != "/completions" {
		t.Fatalf("%v, %v", r, err)
	}
	var got map[string]any
	if err := json.Unmarshal(r.body, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"prompt": "7 ft", "temperature": 1.0, "top_p": 1.0, "max_tokens": 8.0, "seed": 5.0, "top_k": 0.0, "min_p": 0.0, "repeat_penalty": 1.0}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("request (-want +got):\n%s", d)
	}
	if r, err := f.request(&sdk.Prompt{System: "s", Text: "x"}, 0); err != nil || r.path != "/chat/completions" {
		t.Errorf("with a system message: %v, %v", r, err)
	}
}

// Structured output: the schema is sent as the servers want it; one that refuses it, and one that does not care, are told
// of.
func TestJSONSchema(t *testing.T) {
	t.Parallel()
	schema := values{"type": "object", "properties": values{"n": values{"type": "integer"}}}
	f := newFake(t)
	f.badly = func(w http.ResponseWriter, _ *http.Request, q *question, _ int) bool {
		f.answer(w, q, `{"n":7}`, "stop")
		return true
	}
	c := client(t)
	all, err := complete(t, c, call(t, c, f, values{"json_schema": schema}), nil, prompts(1)...)
	if err != nil || all[0].Text != `{"n":7}` {
		t.Fatalf("%v, %v", all, err)
	}
	var sent struct {
		Type string
		JSON struct {
			Name   string
			Strict bool
			Schema values
		} `json:"json_schema"`
	}
	if err := json.Unmarshal(f.questions()[0].Format, &sent); err != nil || sent.Type != "json_schema" || !sent.JSON.Strict || sent.JSON.Schema["type"] != "object" || sent.JSON.Name == "" {
		t.Errorf("sent %s, %v", f.questions()[0].Format, err)
	}
	if _, err := complete(t, c, call(t, c, f, nil), &sdk.Sampling{JsonSchema: []byte(`{"type":"array"}`)}, prompts(1)...); err != nil || !strings.Contains(string(f.questions()[1].Format), `"array"`) {
		t.Errorf("a schema of the call: %v, %s", err, f.questions()[1].Format)
	}
	f.badly = func(w http.ResponseWriter, _ *http.Request, _ *question, _ int) bool {
		return refuse(w, 400, "response_format json_schema is not supported")
	}
	if _, err := complete(t, c, call(t, c, f, values{"json_schema": schema}), nil, prompts(1)...); err == nil || !strings.Contains(err.Error(), "response_format json_schema is not supported") {
		t.Errorf("a server that refuses: %v", err)
	}
	f.badly = nil
	n := len(f.questions())
	if _, err := complete(t, c, call(t, c, f, values{"json_schema": schema}), nil, prompts(1)...); err == nil || !strings.Contains(err.Error(), "does not hold models to one") {
		t.Errorf("a server that does not care: %v", err)
	}
	if len(f.questions()) != n+1 {
		t.Error("it was asked again, which helps no one")
	}
	f.badly = func(w http.ResponseWriter, _ *http.Request, q *question, _ int) bool {
		f.answer(w, q, `{"n":`, "length")
		return true
	}
	if all, err := complete(t, c, call(t, c, f, values{"json_schema": schema}), nil, prompts(1)...); err != nil || all[0].FinishReason != "length" {
		t.Errorf("an answer that was cut: %v, %v", all, err)
	}
	f.badly = func(w http.ResponseWriter, _ *http.Request, q *question, _ int) bool {
		f.answer(w, q, "The sea is", "length")
		return true
	}
	if _, err := complete(t, c, call(t, c, f, values{"json_schema": schema}), nil, prompts(1)...); err == nil || !strings.Contains(err.Error(), "does not hold models to one") {
		t.Errorf("an answer that was cut and does not begin as JSON: %v", err)
	}
}

func TestReplies(t *testing.T) {
	t.Parallel()
	r := &request{stop: []string{"END", "\n"}, size: 8}
	for _, tt := range []struct {
		body string
		want reply
		bad  string
	}{
		{`{"choices":[{"text":"one END two\n","finish_reason":"length"}],"usage":{"prompt_tokens":3,"completion_tokens":4}}`, reply{text: "one ", finish: "stop", prompt: 3, answer: 4}, ""},
		{`{"choices":[{"message":{"content":"a\ud800b"},"finish_reason":"eos"}],"usage":{"prompt_tokens":3,"completion_tokens":4}}`, reply{text: "a\uFFFDb", finish: "stop", prompt: 3, answer: 4}, ""},
		{`{"choices":[{"message":{"content":null,"reasoning_content":"hm"},"finish_reason":"length"}],"usage":{"prompt_tokens":3,"completion_tokens":4}}`, reply{finish: "length", prompt: 3, answer: 4}, ""},
		{`{"choices":[{"message":{"content":null,"refusal":"no"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":4}}`, reply{finish: "stop", prompt: 3, answer: 4, why: "refusal"}, ""},
		{`{"choices":[{"message":{"content":"bad"},"finish_reason":"content_filter"}],"usage":{"prompt_tokens":3,"completion_tokens":4}}`, reply{finish: "stop", prompt: 3, answer: 4, why: "content_filter"}, ""},
		{`{"choices":[{"text":"12345"}]}`, reply{text: "12345", finish: "stop", prompt: 2, answer: 2, guessed: true}, ""},
		{`{"choices":[{"text":"12345"}],"usage":{"prompt_tokens":99999999999999,"completion_tokens":1}}`, reply{text: "12345", finish: "stop", prompt: 2, answer: 2, guessed: true}, ""},
		{`{"choices":[{"text":"x","logprobs":{"tokens":["x"],"token_logprobs":[null,-0.5,0.25]}}]}`, reply{text: "x", finish: "stop", prompt: 2, answer: 1, guessed: true, logprobs: []float32{-0.5, 0}}, ""},
		{`{"choices":[{"text":"x","logprobs":{"content":[{"logprob":-1.5},{"logprob":-0.5}]}}]}`, reply{text: "x", finish: "stop", prompt: 2, answer: 1, guessed: true, logprobs: []float32{-1.5, -0.5}}, ""},
		{`{"choices":[{}]}`, reply{}, "neither a text nor a message"},
		{`[]`, reply{}, "not JSON as it should be"},
		{`{"usage":{"prompt_tokens":-3}}`, reply{}, "not JSON as it should be"},
		{`{"error":"gone wrong"}`, reply{}, "it says: gone wrong"},
	} {
		got, err := r.read([]byte(tt.body))
		if tt.bad != "" {
			if err == nil || !strings.Contains(err.Error(), tt.bad) || got == nil {
				t.Errorf("%s: %v, want %q", tt.body, err, tt.bad)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.body, err)
			continue
		}
		if d := cmp.Diff(&tt.want, got, cmp.AllowUnexported(reply{})); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.body, d)
		}
	}
	long := fmt.Sprintf(`{"choices":[{"text":%q}]}`, strings.Repeat("x", maxText+5))
	if got, err := r.read([]byte(long)); err != nil || len(got.text) != maxText || got.finish != "length" {
		t.Errorf("a text that is too long: %d bytes, %v", len(got.text), err)
	}
}

func TestRecord(t *testing.T) {
	t.Parallel()
	a := &reply{text: "t", finish: "length", prompt: 1, answer: 2, logprobs: []float32{-1, -2}}
	r := record(&sdk.Prompt{Text: "p", Bucket: "b"}, "tmpl", a)
	if r.Prompt != "p" || r.Text != "t" || r.Bucket != "b" || r.Meta["finish"] != "length" || r.Meta["template"] != "tmpl" || r.Meta["logprob"] != "-1.5000" || r.CompletionTokens != 2 {
		t.Errorf("record %v", r)
	}
	if r = record(&sdk.Prompt{System: "s", Text: "p"}, "tmpl", a); len(r.Messages) != 3 || !r.Messages[2].Train || r.Messages[2].Content != "t" || r.Prompt != "" {
		t.Errorf("chat %v", r)
	}
}

func TestGauge(t *testing.T) {
	t.Parallel()
	now := time.Unix(100, 0)
	g := newGauge(8)
	for range 1000 {
		g.answered(now)
	}
	if g.may() != 8 {
		t.Errorf("%d after many answers, want 8", g.may())
	}
	g.overloaded(now, now.Add(time.Second))
	g.overloaded(now, now.Add(2*time.Second)) // the same overload
	if g.may() != 4 {
		t.Errorf("%d after one overload, want 4", g.may())
	}
	g.answered(now) // sent before
	if g.limit != 4 {
		t.Errorf("%g after an answer to what was sent before", g.limit)
	}
	for range 20 {
		now = now.Add(time.Minute)
		g.overloaded(now, now)
	}
	if g.may() != 1 {
		t.Errorf("%d after many overloads, want 1", g.may())
	}
	if newGauge(1).may() != 1 {
		t.Error("a gauge of 1 begins with more")
	}
}

func TestBackoffAndRetryAfter(t *testing.T) {
	t.Parallel()
	p := pace{first: time.Second, most: 10 * time.Second, random: func() float64 { return 0.5 }}
	for n, want := range map[int]time.Duration{1: 500 * time.Millisecond, 2: time.Second, 4: 4 * time.Second, 5: 5 * time.Second, 100: 5 * time.Second} {
		if got := p.backoff(n); got != want {
			t.Errorf("before retry %d: %s, want %s", n, got, want)
		}
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for v, want := range map[string]time.Duration{"": 0, "7": 7 * time.Second, "0.5": 500 * time.Millisecond, "-1": 0, "soon": 0, "1e30": 24 * time.Hour, "Fri, 02 Jan 2026 03:04:15 GMT": 10 * time.Second, "Thu, 01 Jan 2026 00:00:00 GMT": 0} {
		if got := retryAfter(http.Header{"Retry-After": {v}}, now); got != want {
			t.Errorf("Retry-After %q: %s, want %s", v, got, want)
		}
	}
}

// A key is read from the variable that the configuration names, goes to the server, and into no message.
func TestKey(t *testing.T) {
	const secret = "sk-test-4f9d0b7c21"
	t.Setenv("FAKE_KEY", secret+"\n")
	f := newFake(t)
	c := client(t)
	if _, err := complete(t, c, call(t, c, f, values{"api_key_env": "FAKE_KEY"}), nil, prompts(1)...); err != nil {
		t.Fatal(err)
	}
	if q := f.questions()[0]; q.Key != "Bearer "+secret {
		t.Errorf("Authorization: %q", q.Key)
	}
	f.badly = func(w http.ResponseWriter, r *http.Request, _ *question, _ int) bool {
		return refuse(w, 401, "Incorrect API key provided: "+strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	}
	_, err := complete(t, c, call(t, c, f, values{"api_key_env": "FAKE_KEY"}), nil, prompts(1)...)
	if err == nil || strings.Contains(err.Error(), secret) || !strings.Contains(err.Error(), "Incorrect API key provided: (the key); it does not take the key in the variable that api_key_env names") {
		t.Errorf("a wrong key: %v", err)
	}
	os.Unsetenv("FAKE_KEY")
	if _, err := complete(t, c, call(t, c, f, values{"api_key_env": "FAKE_KEY"}), nil, prompts(1)...); err == nil || !strings.Contains(err.Error(), "the environment variable FAKE_KEY, which api_key_env names, is not set") {
		t.Errorf("no key: %v", err)
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	c := client(t)
	validate := func(v values) []*sdk.Diagnostic {
		t.Helper()
		r, err := c.Plugin.Validate(t.Context(), &pluginv1.ValidateRequest{Items: []*pluginv1.ValidateItem{{Kind: kindOf, Stage: "openai", Config: c.Config(t, kindOf, "openai", v)}}})
		if err != nil {
			t.Fatal(err)
		}
		return r.Diagnostics
	}
	base := "http://127.0.0.1:8080/v1"
	for want, v := range map[string]values{ // models are handed to it, or are not
		"": {"serve": values{"command": "llama-server"}},
		"no server runs a model of ours: add a block serve":      {"base_url": base},
		"serve does not give a model of ours to its server: put": {"serve": values{"command": "x", "args": []string{}, "port": 8081}},
	} {
		r, err := c.Plugin.Validate(t.Context(), &pluginv1.ValidateRequest{Items: []*pluginv1.ValidateItem{
			{Kind: kindOf, Stage: "openai", Config: c.Config(t, kindOf, "openai", v), RunsModels: true}}})
		if err != nil {
			t.Fatal(err)
		}
		if d := r.Diagnostics; len(d) > 1 || (len(d) == 1) != (want != "") || len(d) == 1 && !strings.Contains(d[0].Detail, want) {
			t.Errorf("%v: %v, want %q", v, d, want)
		}
	}
	for _, good := range []values{
		{"base_url": base},
		{"base_url": "https://api.example.com/v1", "model_name": "m", "api_key_env": "A_KEY", "api": "chat", "json_schema": values{"type": "object"}, "extra": values{"top_k": 1}, "omit": []string{"seed"}},
		{"serve": values{"command": "llama-server"}},
		{"serve": values{"command": "ollama", "args": []string{"serve"}, "env": values{"OLLAMA_HOST": "127.0.0.1:{port}"}}},
		{"serve": values{"command": "x", "args": []string{}, "port": 8081}},
	} {
		if d := validate(good); len(d) > 0 {
			t.Errorf("%v: %v", good, d)
		}
	}
	for want, bad := range map[string]values{
		"There is neither base_url":        {},
		"is an address such as":            {"base_url": "localhost:8080"},
		"no name and no password":          {"base_url": "http://me:secret@host/v1"},
		"over http, where anybody":         {"base_url": "http://example.com/v1", "api_key_env": "A_KEY"},
		"and not the key itself":           {"base_url": base, "api_key_env": "sk-1234"},
		`api is "soap"`:                    {"base_url": base, "api": "soap"},
		"temperature is -1":                {"base_url": base, "temperature": -1},
		"top_p is 0":                       {"base_url": base, "top_p": 0},
		"max_tokens is 0":                  {"base_url": base, "max_tokens": 0},
		"Every text contains":              {"base_url": base, "stop": []string{"a", ""}},
		"batch_size is 0":                  {"base_url": base, "batch_size": 0},
		"timeout_seconds is 0":             {"base_url": base, "timeout_seconds": 0},
		"max_retries is 1000":              {"base_url": base, "max_retries": 1000},
		"json_schema is an object":         {"base_url": base, "json_schema": "{}"},
		`and api is "completions"`:         {"base_url": base, "api": "completions", "json_schema": values{"type": "object"}},
		"extra is an object":               {"base_url": base, "extra": []int{1}},
		`extra names the parameter "n"`:    {"base_url": base, "extra": values{"n": 2}},
		`omit names the parameter "model"`: {"base_url": base, "omit": []string{"model"}},
		"serve.command is empty":           {"serve": values{"command": ""}},
		"serve.ready is":                   {"serve": values{"command": "x", "ready": "health"}},
		"serve.start_seconds is 0":         {"serve": values{"command": "x", "start_seconds": 0}},
		"serve.idle_seconds is -1":         {"serve": values{"command": "x", "idle_seconds": -1}},
		"Neither args nor env":             {"serve": values{"command": "x", "args": []string{"{model}"}}},
		"no name of a variable":            {"serve": values{"command": "x", "env": values{"A B": "x"}}},
	} {
		if d := validate(bad); len(d) != 1 || !strings.Contains(d[0].Detail, want) || len(d[0].Attribute) == 0 {
			t.Errorf("%v: %v, want %q", bad, d, want)
		}
	}
}

// The fingerprint is that of the model, and not of the moment.
func TestFingerprint(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	c := client(t)
	ask := func(more values) (string, error) {
		r, err := c.Plugin.Fingerprint(t.Context(), &pluginv1.FingerprintRequest{Kind: kindOf, Stage: "openai", Config: call(t, c, f, more).Config})
		return r.GetDigest(), err
	}
	say := func(list string) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.list = list
	}
	first, err := ask(nil)
	if err != nil || !strings.HasPrefix(first, "m sha256:") {
		t.Fatalf("%q, %v", first, err)
	}
	if again, err := ask(values{"model_name": ""}); err != nil || again != first {
		t.Errorf("again, and without a name: %q, %v, want %q", again, err, first)
	}
	say(`{"data":[{"id":"m","created":1,"owned_by":"nobody","permission":[{"id":"modelperm-7"}],"status":{"value":"loaded"}}]}`)
	if again, err := ask(nil); err != nil || again != first {
		t.Errorf("with what is of the moment: %q, %v, want %q", again, err, first)
	}
	say(`{"data":[{"id":"m","created":1,"owned_by":"nobody","meta":{"n_params":2}}]}`)
	if other, err := ask(nil); err != nil || other == first {
		t.Errorf("another model by the same name: %q, %v", other, err)
	}
	say(`{"data":[{"id":"a"},{"id":"b:latest"}]}`)
	for _, tt := range []struct{ name, want string }{
		{"m", `has no model "m"; it has a, b:latest`}, {"", "has 2 models: name one of them with model_name: a, b:latest"},
	} {
		if _, err := ask(values{"model_name": tt.name}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("model %q: %v, want %q", tt.name, err, tt.want)
		}
	}
	if _, err := ask(values{"model_name": "b"}); err != nil {
		t.Error(err)
	}
	say("<html>")
	if d, err := ask(nil); err != nil || !strings.HasPrefix(d, "m sha256:") {
		t.Errorf("a server that lists no models: %q, %v", d, err)
	}
	f.Close()
	if _, err := ask(nil); err == nil || !strings.Contains(err.Error(), "no server can be reached there") {
		t.Errorf("a server that is down: %v", err)
	}
}

// What a server has not written it gives no likelihood of.
func TestScoreOfAServer(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	c := client(t)
	stream, err := c.Generator.Score(t.Context())
	if err == nil {
		err = stream.Send(&pluginv1.LikelihoodRequest{Call: call(t, c, f, nil)})
	}
	if err == nil {
		err = stream.CloseSend()
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sdktest.All(stream); status.Code(err) != codes.Unimplemented {
		t.Errorf("%v, want UNIMPLEMENTED", err)
	}
}

// A server that is not there is not there for all: one wait for all requests, which doubles once a round and not once a request,
// and which an answer ends.
func TestServerAway(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	r := &run{endpoint: &endpoint{}, retries: 3, gauge: newGauge(8), open: map[int]*reply{}, tries: map[int]int{},
		pace: pace{first: time.Second, most: time.Minute, longest: time.Hour, drain: time.Hour, now: func() time.Time { return now }, random: func() float64 { return 1 }}}
	away := &failure{err: errors.New("nobody"), kind: faulty, away: true}
	for round, wait := range []time.Duration{1, 2, 4} {
		sent := now
		now = now.Add(time.Millisecond)
		for i := range 4 {
			r.came(result{i: i, sent: sent, fail: away})
		}
		if want := now.Add(wait * time.Second); !r.until.Equal(want) || r.failed != nil {
			t.Fatalf("round %d: no request before %v, want %v; %v", round, r.until, want, r.failed)
		}
		now = r.until
		for range 4 {
			if _, ok := r.due(now); !ok {
				t.Fatalf("round %d: after the wait not all are made again", round)
			}
		}
	}
	r.came(result{i: 0, sent: now, reply: &reply{}})
	now = now.Add(time.Second)
	r.came(result{i: 1, sent: now, fail: away})
	if want := now.Add(time.Second); !r.until.Equal(want) {
		t.Errorf("after an answer: %v, want %v", r.until, want)
	}
	for range 4 {
		now = r.until
		r.came(result{i: 1, sent: now, fail: away})
	}
	if r.failed == nil || !strings.Contains(r.failed.Error(), "nobody (asked 4 times: max_retries)") {
		t.Errorf("a server that stays away: %v", r.failed)
	}
}
