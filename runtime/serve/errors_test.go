package serve

import (
	"encoding/json"
	"strings"
	"testing"
)

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
