package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

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
