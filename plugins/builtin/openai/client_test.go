package openai

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
)

// Answers come in any order, and are given on in that of the prompts, with the tokens of each and of all.
func TestOrderAndLedger(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.delay = func(*question) time.Duration { return time.Duration(rand.IntN(20)) * time.Millisecond }
	c := client(t)
	var batches int
	got, err := generate(t, c, call(t, c, f, nil), func(b *sdk.RecordBatch) {
		if batches++; len(b.Cursor) == 0 {
			t.Error("a batch without a cursor")
		}
	}, set(300))
	if err != nil {
		t.Fatal(err)
	}
	right(t, got.records, 0, 300)
	var want pluginv1.Usage
	for _, r := range got.records {
		want.PromptTokens += r.PromptTokens
		want.CompletionTokens += r.CompletionTokens
	}
	if got.usage.GetPromptTokens() != want.PromptTokens || got.usage.GetCompletionTokens() != want.CompletionTokens {
		t.Errorf("usage %v, want %v", got.usage, &want)
	}
	if f.most < 6 || f.most > 32 {
		t.Errorf("%d requests at a time: there should be more and more, up to 32", f.most)
	}
	if n := len(f.questions()); n != 300 {
		t.Errorf("%d requests for 300 samples", n)
	}
	all, err := complete(t, c, call(t, c, f, nil), &sdk.Sampling{}, prompts(50)...)
	if err != nil || len(all) != 50 {
		t.Fatalf("%d completions, %v", len(all), err)
	}
	for i, d := range all {
		if want := fmt.Sprintf("answer to prompt %d", i); d.Text != want || d.PromptId != fmt.Sprint(i) || d.CompletionTokens != uint64(len(want)) || d.FinishReason != "stop" {
			t.Errorf("completion %d: %v", i, d)
		}
	}
}

// hang keeps a request without an answer until the client gives up.
func hang(_ http.ResponseWriter, r *http.Request) bool {
	<-r.Context().Done()
	return true
}

// snap sends a part of an answer, and closes the connection.
func snap(w http.ResponseWriter, head string) bool {
	conn, buf, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	fmt.Fprint(buf, head)
	buf.Flush()
	return true
}

// What may pass is asked for again, and nothing is lost or comes twice.
func TestFaultsThatPass(t *testing.T) {
	t.Parallel()
	type bad = func(w http.ResponseWriter, r *http.Request) bool
	for name, do := range map[string]bad{
		"429": func(w http.ResponseWriter, _ *http.Request) bool { return refuse(w, 429, "slow down") },
		"429 with a text": func(w http.ResponseWriter, _ *http.Request) bool {
			http.Error(w, "slow down", http.StatusTooManyRequests)
			return true
		},
		"500": func(w http.ResponseWriter, _ *http.Request) bool { return refuse(w, 500, "oops") },
		"502 of a proxy": func(w http.ResponseWriter, _ *http.Request) bool {
			http.Error(w, "<html>bad gateway", http.StatusBadGateway)
			return true
		},
		"503 while it loads":    func(w http.ResponseWriter, _ *http.Request) bool { return refuse(w, 503, "Loading model") },
		"hanging":               hang,
		"closed at once":        func(w http.ResponseWriter, _ *http.Request) bool { return snap(w, "") },
		"closed in the headers": func(w http.ResponseWriter, _ *http.Request) bool { return snap(w, "HTTP/1.1 200 OK\r\nContent-") },
		"closed in the body": func(w http.ResponseWriter, _ *http.Request) bool {
			return snap(w, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"+`{"choices":[{"text":"hal`)
		},
		"closed in a chunk": func(w http.ResponseWriter, _ *http.Request) bool {
			return snap(w, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{\"choices\"")
		},
		"no HTTP":    func(w http.ResponseWriter, _ *http.Request) bool { return snap(w, "220 mail.example.com ESMTP\r\n") },
		"no JSON":    func(w http.ResponseWriter, _ *http.Request) bool { fmt.Fprint(w, "<html>"); return true },
		"half JSON":  func(w http.ResponseWriter, _ *http.Request) bool { fmt.Fprint(w, `{"choices":[{"te`); return true },
		"other JSON": func(w http.ResponseWriter, _ *http.Request) bool { fmt.Fprint(w, `{"choices":"none"}`); return true },
		"no choices": func(w http.ResponseWriter, _ *http.Request) bool { fmt.Fprint(w, `{"choices":[]}`); return true },
		"an error with status 200": func(w http.ResponseWriter, _ *http.Request) bool {
			fmt.Fprint(w, `{"error":{"message":"upstream"}}`)
			return true
		},
		"empty": func(http.ResponseWriter, *http.Request) bool { return true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.badly = func(w http.ResponseWriter, r *http.Request, q *question, before int) bool {
				return before < 1+int(q.Seed%2) && q.Seed%3 > 0 && do(w, r)
			}
			c := client(t)
			more := values{"max_retries": 6}
			if name == "hanging" {
				more["timeout_seconds"] = 0.2
			}
			got, err := generate(t, c, call(t, c, f, more), nil, set(40))
			if err != nil {
				t.Fatal(err)
			}
			right(t, got.records, 0, 40)
			for id, n := range f.times {
				if n > 3 {
					t.Errorf("%q was asked %d times", id, n)
				}
			}
			if got.usage.GetCompletionTokens() < 40*uint64(len("answer to prompt 0")) {
				t.Errorf("usage %v", got.usage)
			}
		})
	}
}

// A fault that stays ends the call: as one that may pass where it may, with the server's words, and with what came before
// kept.
func TestFaultsThatStay(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		do   func(w http.ResponseWriter, r *http.Request) bool
		more values
		code codes.Code
		want string
		most int // requests for the one prompt
	}{
		"500":     {func(w http.ResponseWriter, _ *http.Request) bool { return refuse(w, 500, "out of cheese") }, nil, codes.Aborted, "status 500: out of cheese (asked 4 times: max_retries)", 4},
		"hanging": {hang, values{"timeout_seconds": 0.05}, codes.Aborted, "no answer within 50ms (timeout_seconds)", 4},
		"cut off": {func(w http.ResponseWriter, _ *http.Request) bool {
			return snap(w, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
		}, nil, codes.Aborted, "its answer was cut off", 4},
		"400": {func(w http.ResponseWriter, _ *http.Request) bool {
			return refuse(w, 400, "Unrecognized request argument supplied: seed")
		}, nil, codes.Unknown, "status 400: Unrecognized request argument supplied: seed; if that is about a parameter, omit leaves it out and extra gives it another value", 1},
		"401": {func(w http.ResponseWriter, _ *http.Request) bool { return refuse(w, 401, "no key") }, nil, codes.Unknown, "status 401: no key; api_key_env names", 1},
		"404": {func(w http.ResponseWriter, _ *http.Request) bool { return refuse(w, 404, "no such model") }, nil, codes.Unknown, `no such model; is base_url right, and is there a model "m"?`, 1},
		"422": {func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(422)
			fmt.Fprint(w, `{"detail":"bad top_p"}`)
			return true
		}, nil, codes.Unknown, "status 422: bad top_p", 1},
		"money": {func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(429)
			fmt.Fprint(w, `{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}`)
			return true
		}, nil, codes.Unknown, "You exceeded your current quota", 1},
		"elsewhere": {func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, "http://elsewhere.invalid/", http.StatusTemporaryRedirect)
			return true
		}, nil, codes.Unknown, "status 307", 1},
		"a long wait": {func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Retry-After", "7200")
			return refuse(w, 429, "come back tomorrow")
		}, nil, codes.Aborted, "it asks to wait for 2h0m0s, which is longer than 2s", 1},
		"a large answer": {func(w http.ResponseWriter, _ *http.Request) bool {
			b := bufio.NewWriter(w)
			for range 10 << 10 {
				b.WriteString(strings.Repeat("x", 1024))
			}
			b.Flush()
			return true
		}, nil, codes.Aborted, "its answer has more than 8 MiB", 4},
		"only loaded": {func(w http.ResponseWriter, _ *http.Request) bool { // Ollama, asked to go on from nothing
			fmt.Fprint(w, `{"choices":[{"text":"","index":0,"finish_reason":"load"}],"usage":{"prompt_tokens":0,"completion_tokens":0}}`)
			return true
		}, nil, codes.Unknown, "it has loaded its model and written nothing, as Ollama does where a prompt is empty", 1},
		"control characters": {func(w http.ResponseWriter, _ *http.Request) bool { return refuse(w, 400, "a\x1b[31m\nb") }, nil, codes.Unknown, "status 400: a [31m b;", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.badly = func(w http.ResponseWriter, r *http.Request, q *question, _ int) bool {
				return q.text() == "prompt 20" && tt.do(w, r)
			}
			c := client(t)
			more := values{"max_retries": 3, "batch_size": 4}
			for k, v := range tt.more {
				more[k] = v
			}
			_, err := complete(t, c, call(t, c, f, more), nil, prompts(30)...)
			if status.Code(err) != tt.code || !strings.Contains(status.Convert(err).Message(), tt.want) {
				t.Errorf("%v, want %v with %q", err, tt.code, tt.want)
			}
			for id, n := range f.times {
				if strings.HasPrefix(id, "prompt 20") && n > tt.most {
					t.Errorf("%q was asked %d times, want at most %d", id, n, tt.most)
				}
			}
		})
	}
}

// A certificate that no known authority has signed will be none the next time either, and the error says how to make it
// known. Nothing is sent before.
func TestUnknownAuthority(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	secure := httptest.NewUnstartedServer(f.Config.Handler)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	c := client(t)
	_, err := complete(t, c, call(t, c, f, values{"base_url": secure.URL + "/v1"}), nil, prompts(1)...)
	if status.Code(err) != codes.Unknown || !strings.Contains(err.Error(), "unknown authority") || !strings.Contains(err.Error(), "SSL_CERT_FILE") || strings.Contains(err.Error(), "asked") {
		t.Errorf("%v", err)
	}
	if n := len(f.questions()); n > 0 {
		t.Errorf("%d requests", n)
	}
}

// A key goes to the server, and so to no proxy that the environment names.
func TestNoProxy(t *testing.T) {
	t.Parallel()
	if newHTTP(1).Transport.(*http.Transport).Proxy != nil {
		t.Error("the client asks the environment for a proxy")
	}
}

// Before the server has taken anything a refusal ends the call. Later it costs the sample that is refused, if it is one of
// few.
func TestRefusedSample(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.badly = func(w http.ResponseWriter, _ *http.Request, q *question, _ int) bool {
		return (q.text() == "prompt 40" || q.text() == "prompt 41") && refuse(w, 400, "context length exceeded")
	}
	c := client(t)
	got, err := generate(t, c, call(t, c, f, nil), nil, set(100))
	if err != nil || len(got.records) != 100 {
		t.Fatalf("%d samples, %v", len(got.records), err)
	}
	if r := got.records[40]; r.Text != "" || r.Meta["without_text"] != "refused" || got.records[42].Text != "answer to prompt 42" {
		t.Errorf("samples %v, %v", r, got.records[42])
	}
	if len(got.warnings) != 2 || !strings.Contains(got.warnings[0], "context length exceeded") {
		t.Errorf("warnings %q", got.warnings)
	}

	f = newFake(t)
	f.badly = func(w http.ResponseWriter, _ *http.Request, _ *question, _ int) bool {
		return refuse(w, 400, "no seed here")
	}
	if _, err := generate(t, c, call(t, c, f, nil), nil, set(100)); status.Code(err) != codes.Unknown || !strings.Contains(err.Error(), "no seed here") {
		t.Errorf("a server that refuses all: %v", err)
	}
	if n := len(f.questions()); n > firstConcurrency {
		t.Errorf("%d requests to a server that refuses all", n)
	}
	var n atomic.Int64
	f = newFake(t)
	f.badly = func(w http.ResponseWriter, _ *http.Request, _ *question, _ int) bool {
		return n.Add(1) > 20 && refuse(w, 400, "enough")
	}
	if _, err := generate(t, c, call(t, c, f, nil), nil, set(1000)); err == nil || n.Load() > 100 {
		t.Errorf("a server that refuses all from some time on: %v after %d requests", err, n.Load())
	}
}

// A server that asks to wait is not asked anything meanwhile.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]func(http.Header){
		"seconds":      func(h http.Header) { h.Set("Retry-After", "0.6") },
		"milliseconds": func(h http.Header) { h.Set("Retry-After-Ms", "600") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var n atomic.Int64
			var until atomic.Int64
			f := newFake(t)
			f.badly = func(w http.ResponseWriter, _ *http.Request, q *question, _ int) bool {
				if n.Add(1) == 20 {
					until.Store(time.Now().Add(600 * time.Millisecond).UnixNano())
					header(w.Header())
					return refuse(w, 429, "wait")
				}
				return false
			}
			c := client(t)
			got, err := generate(t, c, call(t, c, f, values{"batch_size": 4}), nil, set(60))
			if err != nil {
				t.Fatal(err)
			}
			right(t, got.records, 0, 60)
			early := 0
			for _, q := range f.questions()[20:] {
				// What was on its way when the answer came, or left before it was read, is there in the first half.
				if left := until.Load() - q.At.UnixNano(); left > 0 && left < int64(300*time.Millisecond) {
					early++
				}
			}
			if early > 0 {
				t.Errorf("%d requests while the server had asked to wait", early)
			}
		})
	}
}

// The number of requests settles at what a server takes.
func TestConcurrencyAdapts(t *testing.T) {
	t.Parallel()
	const capacity = 6
	var now, over atomic.Int64
	f := newFake(t)
	f.badly = func(w http.ResponseWriter, _ *http.Request, _ *question, _ int) bool {
		defer now.Add(-1)
		if now.Add(1) > capacity {
			over.Add(1)
			return refuse(w, 429, "too many at a time")
		}
		time.Sleep(5 * time.Millisecond)
		return false
	}
	c := client(t)
	got, err := generate(t, c, call(t, c, f, values{"batch_size": 64, "max_retries": 20}), nil, set(600))
	if err != nil {
		t.Fatal(err)
	}
	right(t, got.records, 0, 600)
	if o := over.Load(); o == 0 || o > 120 {
		t.Errorf("%d of 600 requests were too many: want some, and few", o)
	}
	if f.most > 3*capacity {
		t.Errorf("%d requests at a time to a server that takes %d", f.most, capacity)
	}
}

// A call that is stopped waits for what it has paid for, and the next goes on behind it: no sample is asked for twice.
func TestStopAndResume(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.delay = func(*question) time.Duration { return time.Duration(10+rand.IntN(20)) * time.Millisecond }
	c := client(t)
	pc := call(t, c, f, values{"batch_size": 8})
	var all []*sdk.Record
	stops := 0
	for len(all) < 400 {
		s := set(400)
		s.StartIndex, s.Samples = uint64(len(all)), uint64(400-len(all))
		stopped := false
		got, err := generate(t, c, pc, func(*sdk.RecordBatch) {
			if !stopped {
				stopped = true
				stops++
				if _, err := c.Plugin.Stop(context.Background(), &pluginv1.StopRequest{}); err != nil {
					t.Error(err)
				}
			}
		}, s)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.records) == 0 {
			t.Fatal("a call that brings nothing")
		}
		all, pc.Cursor = append(all, got.records...), got.cursor
	}
	right(t, all, 0, 400)
	if stops < 2 {
		t.Errorf("stopped %d times", stops)
	}
	if n := len(f.questions()); n != 400 {
		t.Errorf("%d requests for 400 samples", n)
	}
	seeds := map[uint64]bool{}
	for _, r := range all {
		seeds[r.SampleSeed] = true
	}
	if len(seeds) != 400 {
		t.Errorf("%d seeds for 400 samples", len(seeds))
	}
}

// At the limit of a budget a call stops: what is in work then is all that comes on top.
func TestLimit(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.delay = func(*question) time.Duration { return time.Millisecond }
	c := client(t)
	pc := call(t, c, f, values{"batch_size": 4})
	pc.Limit = &pluginv1.Limit{Usd: 0.001, UsdPerPromptToken: 1e-6, UsdPerCompletionToken: 2e-6}
	got, err := generate(t, c, pc, nil, set(1000))
	if err != nil {
		t.Fatal(err)
	}
	usd := float64(got.usage.PromptTokens)*1e-6 + float64(got.usage.CompletionTokens)*2e-6
	if usd < 0.001 || usd > 0.001+8*50e-6 {
		t.Errorf("%g USD are used of 0.001", usd)
	}
	if len(got.records) != len(f.questions()) {
		t.Errorf("%d samples from %d requests: some were paid for and lost", len(got.records), len(f.questions()))
	}
}

// What was paid for and could not be given on, because a sample before it failed, is there for the next try of the call.
func TestNothingPaidTwice(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	broken := atomic.Bool{}
	broken.Store(true)
	f.badly = func(w http.ResponseWriter, _ *http.Request, q *question, _ int) bool {
		return broken.Load() && q.text() == "prompt 30" && refuse(w, 500, "not this one")
	}
	c := client(t)
	pc := call(t, c, f, values{"max_retries": 2})
	first, err := generate(t, c, pc, nil, set(100))
	if status.Code(err) != codes.Aborted {
		t.Fatal(err)
	}
	right(t, first.records, 0, 30)
	broken.Store(false)
	s := set(100)
	s.StartIndex, s.Samples, pc.Cursor = 30, 70, first.cursor
	second, err := generate(t, c, pc, nil, s)
	if err != nil {
		t.Fatal(err)
	}
	right(t, second.records, 30, 70)
	for id, n := range f.times {
		if n > 1 && !strings.HasPrefix(id, "prompt 30") {
			t.Errorf("%q was asked %d times", id, n)
		}
	}
	paid := uint64(0)
	for _, r := range append(first.records, second.records...) {
		paid += r.CompletionTokens
	}
	if got := first.usage.CompletionTokens + second.usage.CompletionTokens; got != paid {
		t.Errorf("%d tokens are counted in both calls, want %d", got, paid)
	}
}

// A server that does not count tokens: they are guessed, and that is said once.
func TestTokensGuessed(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.plain = true
	c := client(t)
	got, err := generate(t, c, call(t, c, f, nil), nil, set(8))
	if err != nil || len(got.records) != 8 {
		t.Fatal(err)
	}
	if r := got.records[0]; r.PromptTokens != 2 || r.CompletionTokens != 5 { // "prompt 0", "answer to prompt 0"
		t.Errorf("tokens of %v", r)
	}
	if len(got.warnings) != 1 || !strings.Contains(got.warnings[0], "Tokens are guessed") {
		t.Errorf("warnings %q", got.warnings)
	}
}
