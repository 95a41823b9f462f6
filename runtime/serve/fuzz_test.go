package serve

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// FuzzRequest: whatever comes as a request is answered, or refused in OpenAI's form with a status that says whose fault it is.
func FuzzRequest(f *testing.F) {
	for _, body := range []string{
		`{"model":"words","prompt":"a b","n":2,"stream":true,"stop":["x"],"seed":-1}`, `{"model":"words","prompt":["a",1]}`, `{"model":null}`, `[`,
		`{"model":"words","messages":[{"role":"system","content":"x"},{"role":"user","content":[{"type":"text","text":"y"}]}],"logprobs":true,"response_format":{"type":"json_schema","json_schema":{"schema":{}}}}`,
	} {
		f.Add(body, true)
		f.Add(body, false)
	}
	engine := newFake()
	close(engine.hold)
	s := httptest.NewServer(New(engine, Options{Name: "words", Parallel: 8, Queue: 8, Timeout: time.Minute, Log: slog.New(slog.DiscardHandler), Clock: time.Now, Seed: func() uint64 { return 1 }}))
	f.Cleanup(s.Close)
	f.Fuzz(func(t *testing.T, body string, chat bool) {
		if strings.Contains(body, "!") {
			return // what the fake takes for an order
		}
		path := "/v1/completions"
		if chat {
			path = "/v1/chat/completions"
		}
		resp, err := http.Post(s.URL+path, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		switch typ := resp.Header.Get("Content-Type"); {
		case resp.StatusCode == 200 && typ == "text/event-stream":
			if !strings.HasSuffix(string(b), "data: [DONE]\n\n") {
				t.Errorf("the stream ends with %q", b)
			}
		case !json.Valid(b) || typ != "application/json":
			t.Errorf("status %d, %s: %q", resp.StatusCode, typ, b)
		case resp.StatusCode != 200 && (resp.StatusCode < 400 || resp.StatusCode >= 500 || !strings.Contains(string(b), `"error"`)):
			t.Errorf("status %d: %q", resp.StatusCode, b)
		}
	})
}
