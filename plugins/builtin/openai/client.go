package openai

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// An endpoint is a server that can be asked.
type endpoint struct {
	base  string // of the interface, without a slash at its end
	model string // name at the server; "": it needs none
	key   string
	gguf  bool // it runs a GGUF file of ours
	http  *http.Client

	ended func() error // of a server that was started here: why it is gone; nil: it is not
}

// Bounds of what a server may send.
const (
	maxBody  = 8 << 20
	maxError = 64 << 10
	maxWords = 500 // of a server's message, in runes
)

// newHTTP makes a client for so many requests at a time. A server that sends elsewhere is refused: a key goes to the server
// that the configuration names and to no other. Nor does it go through a proxy.
func newHTTP(connections int) *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy = nil
	t.MaxIdleConns, t.MaxIdleConnsPerHost, t.MaxResponseHeaderBytes = connections, connections, 1<<20
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// A failure is why there is no answer.
type failure struct {
	err  error
	kind kind
	wait time.Duration // that the server asks for; 0: it does not say
	read *reply        // what was spent all the same; nil: nothing that is known
	away bool          // there is no server
}

type kind int

const (
	refused    kind = iota // another try would be refused too
	faulty                 // another try may do
	overloaded             // another try may do, with fewer at a time
)

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// gone is why a server that was started here cannot be asked any more; nil: it can.
func (e *endpoint) gone() error {
	if e.ended == nil {
		return nil
	}
	return e.ended()
}

// ask makes a request once.
func (e *endpoint) ask(ctx context.Context, r *request, timeout time.Duration) (*reply, *failure) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	status, header, body, err := e.send(ctx, http.MethodPost, e.base+r.path, r.body)
	switch {
	case err != nil && status == http.StatusOK: // the model has written, whatever became of it
		f := e.broken(ctx, err, timeout)
		f.read = r.guess(len(body))
		return nil, f
	case err != nil:
		return nil, e.broken(ctx, err, timeout)
	case status != http.StatusOK:
		return nil, e.refusal(status, header, body)
	}
	out, err := r.read(body)
	switch {
	case errors.Is(err, errNotHeld):
		return nil, &failure{err: fmt.Errorf("%s: %w: %q", e.base, err, clip(out.text)), kind: refused, read: out}
	case errors.Is(err, errLoaded):
		return nil, &failure{err: fmt.Errorf("%s: %w", e.base, err), kind: refused}
	case err != nil:
		return nil, &failure{err: fmt.Errorf("%s: %s", e.base, e.hide(err.Error())), kind: faulty, read: out}
	}
	return out, nil
}

// send makes a request and reads the answer, as far as it may go. The status is 0 where there is no answer; with one, an
// error is about its body.
func (e *endpoint) send(ctx context.Context, method, address string, content []byte) (status int, header http.Header, body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(content))
	if err != nil {
		return 0, nil, nil, err
	}
	req.Header.Set("User-Agent", "jupiter")
	req.Header.Set("Accept", "application/json")
	if len(content) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	if e.key != "" {
		req.Header.Set("Authorization", "Bearer "+e.key)
	}
	resp, err := e.http.Do(req)
	if err != nil {
		return 0, nil, nil, err
	}
	defer resp.Body.Close()
	most := int64(maxBody)
	if resp.StatusCode != http.StatusOK {
		most = maxError
	}
	body, err = io.ReadAll(io.LimitReader(resp.Body, most+1))
	if resp.StatusCode != http.StatusOK {
		return resp.StatusCode, resp.Header, body, nil // its status says enough
	}
	if err == nil && int64(len(body)) > most {
		err = fmt.Errorf("its answer has more than %d MiB", most>>20)
	}
	return resp.StatusCode, resp.Header, body, err
}

// broken is a request without an answer, or with a part of one.
func (e *endpoint) broken(ctx context.Context, err error, timeout time.Duration) *failure {
	if why := e.gone(); why != nil {
		return &failure{err: why, kind: faulty}
	}
	var op *net.OpError
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &failure{err: fmt.Errorf("%s: no answer within %s (timeout_seconds)", e.base, timeout), kind: overloaded}
	case errors.As(err, &untrusted):
		return &failure{err: fmt.Errorf("%s: %s; the environment variable SSL_CERT_FILE names a file with the certificates of authorities that are trusted", e.base, untrusted), kind: refused}
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		return &failure{err: fmt.Errorf("%s: its answer was cut off", e.base), kind: faulty}
	case errors.As(err, &op) && op.Op == "dial":
		return &failure{err: fmt.Errorf("%s: no server can be reached there: %s", e.base, e.hide(op.Err.Error())), kind: faulty, away: true}
	}
	return &failure{err: fmt.Errorf("%s: %s", e.base, e.hide(err.Error())), kind: faulty}
}

// spent is what servers call it when there is no money left: waiting helps no one.
var spent = []string{"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"}

// refusal is an answer with another status than 200.
func (e *endpoint) refusal(status int, header http.Header, body []byte) *failure {
	text := e.hide(message(body))
	f := &failure{kind: refused, wait: retryAfter(header, time.Now())}
	hint := ""
	switch {
	case status == http.StatusTooManyRequests:
		if f.kind = overloaded; slices.Contains(spent, code(body)) {
			f.kind = refused
		}
	case status == http.StatusServiceUnavailable || status == 529: // 529: overloaded, of some that are hosted
		f.kind = overloaded
	case status >= 500 || status == http.StatusRequestTimeout || status == http.StatusConflict || status == http.StatusTooEarly:
		f.kind = faulty
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		if hint = "; api_key_env names the variable with its key"; e.key != "" {
			hint = "; it does not take the key in the variable that api_key_env names"
		}
	case status == http.StatusNotFound:
		hint = fmt.Sprintf("; is base_url right, and is there a model %q?", e.model)
	case status >= 300 && status < 400:
		hint = "; base_url is to name where the server really is: a key is sent nowhere else"
	case status == http.StatusBadRequest || status == http.StatusUnprocessableEntity:
		hint = "; if that is about a parameter, omit leaves it out and extra gives it another value"
	}
	f.err = fmt.Errorf("%s answers with status %d: %s%s", e.base, status, orNothing(text), hint)
	return f
}

func orNothing(s string) string {
	if s == "" {
		return "it says nothing"
	}
	return s
}

// retryAfter is how long a server asks to wait, in seconds, in milliseconds or until a time.
func retryAfter(h http.Header, now time.Time) time.Duration {
	if ms, err := strconv.ParseFloat(h.Get("Retry-After-Ms"), 64); err == nil && ms > 0 {
		return seconds(ms / 1000)
	}
	v := h.Get("Retry-After")
	if s, err := strconv.ParseFloat(v, 64); err == nil && s > 0 {
		return seconds(s)
	}
	if at, err := http.ParseTime(v); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}

// seconds is a time of so many seconds, at most a day.
func seconds(s float64) time.Duration {
	return time.Duration(min(s, maxSeconds) * float64(time.Second))
}

// message finds what a server says in what it answers with when it refuses: a text of its own, or one in JSON in one of the
// usual places.
func message(body []byte) string {
	var m struct {
		Error   json.RawMessage `json:"error"`
		Message string          `json:"message"`
		Detail  json.RawMessage `json:"detail"` // FastAPI's
	}
	var text string
	if json.Unmarshal(body, &text) == nil {
		return clip(text)
	}
	if json.Unmarshal(body, &m) != nil {
		return clip(string(body))
	}
	var inner struct {
		Message string `json:"message"`
	}
	switch {
	case json.Unmarshal(m.Error, &text) == nil && text != "":
	case json.Unmarshal(m.Error, &inner) == nil && inner.Message != "":
		text = inner.Message
	case m.Message != "":
		text = m.Message
	case json.Unmarshal(m.Detail, &text) == nil && text != "":
	default:
		text = string(body)
	}
	return clip(text)
}

// code is the server's word for why it refuses.
func code(body []byte) string {
	var m struct {
		Error struct {
			Code any    `json:"code"`
			Type string `json:"type"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &m) != nil {
		return ""
	}
	if c, ok := m.Error.Code.(string); ok && c != "" {
		return c
	}
	return m.Error.Type
}

// clip makes one line of a server's words, and not too long a one.
func clip(s string) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "\uFFFD"), func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if r := []rune(s); len(r) > maxWords {
		s = string(r[:maxWords]) + "…"
	}
	return s
}

// hide takes the key out of what is said: servers repeat what they were sent.
func (e *endpoint) hide(s string) string {
	if e.key == "" {
		return s
	}
	return strings.ReplaceAll(s, e.key, "(the key)")
}
