// Package serve is an HTTP server that speaks OpenAI's protocol, for whatever application can talk to that: models,
// completions, chats, with streaming.
//
// It knows nothing of states and plugins: an Engine lists the generators that there are, and has them answer. It looks at
// that list anew for each request, so the generator in use is the one of the moment at which a request begins; a promotion
// needs no restart, and a request in work keeps the generator that it began with.
//
// A request is refused rather than answered otherwise than it asks: a parameter that would change the answer and cannot be
// kept to is an error that names it. What is no part of the answer, such as user and metadata, is let pass.
//
// Everything is bounded: the size of a request, the texts in work and the requests that wait for them, the time of a request,
// and how long a client may take nothing. What a client asked for ends when it goes away.
package serve

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"jupiter/runtime"
)

// Engine is what answers.
type Engine interface {
	// Models lists the generators that can be asked, oldest first.
	Models(context.Context) ([]runtime.Model, error)
	// Ask has one answer prompts, in order. It is called from several goroutines.
	Ask(ctx context.Context, m runtime.Model, a runtime.Ask, done func(prompt int, c runtime.Completed) error) error
}

// Options configure a server. Parallel, Queue and Timeout are needed.
type Options struct {
	Name    string // of the generator in use, as a model; versions are NAME:v1, NAME:v2, …
	Version uint64 // the one that NAME is; 0: the one in use
	Chat    bool   // a user's message that stands alone is a turn of a chat too, and not the prompt itself
	Token   string // that each request must bear; "": none
	Local   bool   // refuse requests that name another host than this machine: pages that a browser was tricked into reading
	// Parallel is how many texts are in work at a time, and Queue how many requests may wait for their turn.
	Parallel, Queue int
	Timeout         time.Duration // of a request, waiting included
	Log             *slog.Logger
	LogTexts        bool // prompts and completions too
	Clock           func() time.Time
	Seed            func() uint64 // random: of a request that has none, and for names of requests
}

// Bounds of a request.
const (
	maxBody      = 2 << 20 // bytes
	maxTexts     = 128     // prompts, times n
	maxStop      = 16      // stop sequences
	maxStopBytes = 1 << 10
	sendWithin   = 30 * time.Second // a client sends its request, and takes each part of an answer
)

// Server answers HTTP requests. It is an http.Handler; see HTTP for one that is bounded in time.
type Server struct {
	o       Options
	engine  Engine
	token   [sha256.Size]byte
	slots   *semaphore.Weighted
	waiting atomic.Int64
	mux     *http.ServeMux
}

// New makes a server.
func New(engine Engine, o Options) *Server {
	s := &Server{o: o, engine: engine, token: sha256.Sum256([]byte(o.Token)), slots: semaphore.NewWeighted(int64(o.Parallel)), mux: http.NewServeMux()}
	s.mux.HandleFunc("GET /health", s.handle(s.health))
	s.mux.HandleFunc("GET /v1/models", s.handle(s.models))
	s.mux.HandleFunc("GET /v1/models/{model}", s.handle(s.model))
	s.mux.HandleFunc("POST /v1/completions", s.handle(s.completions))
	s.mux.HandleFunc("POST /v1/chat/completions", s.handle(s.chat))
	for _, path := range []string{"/health", "/v1/models", "/v1/models/{model}", "/v1/completions", "/v1/chat/completions"} {
		s.mux.HandleFunc(path, s.handle(func(_ *exchange, r *http.Request) error { return wrongMethod(r) }))
	}
	s.mux.HandleFunc("/", s.handle(func(_ *exchange, r *http.Request) error { return noEndpoint(r) }))
	return s
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// HTTP gives the server that reads requests for s. Their contexts end with ctx.
func (s *Server) HTTP(ctx context.Context) *http.Server {
	return &http.Server{
		Handler: s, BaseContext: func(net.Listener) context.Context { return ctx },
		// A ReadTimeout would end requests that take longer to answer. The body has a time of its own, and so has each write.
		ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
		ErrorLog: slog.NewLogLogger(s.o.Log.Handler(), slog.LevelDebug), // connections that break
	}
}

// exchange is one request and its answer.
type exchange struct {
	http.ResponseWriter
	now    func() time.Time
	id     string
	status int // 0: nothing was written yet
	about  []any
}

func (x *exchange) WriteHeader(status int) {
	if x.status == 0 {
		x.status = status
	}
	x.ResponseWriter.WriteHeader(status)
}

func (x *exchange) Write(b []byte) (int, error) {
	if x.status == 0 {
		x.status = http.StatusOK
	}
	return x.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

// note adds to the request's line in the log.
func (x *exchange) note(about ...any) { x.about = append(x.about, about...) }

// statusGone is that of a request whose client went away before there was an answer, as nginx has it. Nobody receives it.
const statusGone = 499

// handle is what all endpoints have in common: who may ask, for how long, errors, and the log.
func (s *Server) handle(endpoint func(*exchange, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		begun := s.o.Clock()
		x := &exchange{ResponseWriter: w, now: s.o.Clock, id: fmt.Sprintf("%016x", s.o.Seed())}
		defer x.until(time.Time{}) // the connection's next request begins anew
		w.Header().Set("X-Request-Id", x.id)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		ctx, cancel := context.WithTimeoutCause(r.Context(), s.o.Timeout, errTimeout)
		defer cancel()
		err := s.allowed(r)
		if err == nil {
			err = endpoint(x, r.WithContext(ctx))
		}
		status := x.status
		if err != nil {
			status = x.fail(ctx, r, err)
		}
		line := append([]any{"id", x.id, "method", r.Method, "path", clip(r.URL.Path), "status", status, "ms", s.o.Clock().Sub(begun).Milliseconds(), "remote", r.RemoteAddr}, x.about...)
		if err != nil {
			line = append(line, "error", err.Error())
		}
		s.o.Log.Info("request", line...)
	}
}

// allowed says whether a request may be looked at.
func (s *Server) allowed(r *http.Request) error {
	if s.o.Local && !local(r.Host) {
		return &apiError{status: http.StatusForbidden, typ: invalidRequest, message: "this server answers requests to this machine alone, by the name localhost or a loopback address"}
	}
	if s.o.Token == "" || r.URL.Path == "/health" {
		return nil
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	got := sha256.Sum256([]byte(strings.TrimSpace(token)))
	if !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare(got[:], s.token[:]) != 1 {
		return &apiError{status: http.StatusUnauthorized, typ: invalidRequest, code: "invalid_api_key", message: "the API key is missing or wrong: it goes into the header Authorization: Bearer KEY"}
	}
	return nil
}

// local says whether a Host header names this machine. Another name that leads here is how a web page gets around the
// browser's rule that it may talk to its own server alone.
func local(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	ip := net.ParseIP(name)
	return strings.EqualFold(name, "localhost") || ip != nil && ip.IsLoopback()
}

// enter waits until so many texts may be in work. leave is to be called when they no longer are.
func (s *Server) enter(ctx context.Context, texts int) (leave func(), err error) {
	n := int64(min(texts, s.o.Parallel))
	leave = func() { s.slots.Release(n) }
	if s.slots.TryAcquire(n) {
		return leave, nil
	}
	defer s.waiting.Add(-1)
	if s.waiting.Add(1) > int64(s.o.Queue) {
		return nil, errFull
	}
	if err := s.slots.Acquire(ctx, n); err != nil {
		return nil, context.Cause(ctx)
	}
	return leave, nil
}

func clip(s string) string {
	if len(s) > 200 {
		return strings.ToValidUTF8(s[:200], "") + "…"
	}
	return s
}
