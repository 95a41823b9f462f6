package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

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
