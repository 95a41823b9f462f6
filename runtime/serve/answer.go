package serve

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"jupiter/runtime"
)

// form is how one endpoint puts answers.
type form interface {
	names() (prefix, object, chunk string) // of an ID, and of objects
	asks() (param string)                  // where the question stands
	whole(q *request, i int, c *choice) any
	first(i int) any // nil: nothing comes before the text
	piece(q *request, i int, text string, tokens []token, c *choice) any
	last(q *request, i int, c *choice) any
}

// choice is one text of an answer.
type choice struct {
	text, finish string
	shown        int     // bytes of the text that are certain
	tokens       []token // of the part that is shown
	held         []token // that came before it was known whether they are part of the text
	written      int     // bytes of all tokens
	prompt       uint64  // tokens
	completion   uint64
	begun        bool
}

// token is one of a choice.
type token struct {
	text    []byte
	logprob float64
	offset  int // where it begins in the text
}

// name is a token's text, as far as it is text.
func (t token) name() string { return strings.ToValidUTF8(string(t.text), "\uFFFD") }

// add takes what a model wrote, and gives the tokens that belong to the text as far as it is certain: not those of a stop
// sequence, and not the one that ends a text.
func (c *choice) add(tokens []runtime.Token, shown int) (certain []token) {
	for _, t := range tokens {
		// The least that OpenAI's own servers give: JSON has no infinity.
		c.held = append(c.held, token{t.Text, max(t.LogProb, -9999), c.written})
		c.written += len(t.Text)
	}
	c.shown = shown
	n := 0
	for n < len(c.held) && c.held[n].offset < shown {
		n++
	}
	certain, c.held = c.held[:n:n], c.held[n:]
	for i := range certain {
		certain[i].logprob = min(certain[i].logprob, 0) // what rounding adds
		if math.IsNaN(certain[i].logprob) {
			panic("serve: the host lets no NaN through")
		}
	}
	c.tokens = append(c.tokens, certain...)
	return certain
}

type usage struct {
	Prompt     uint64 `json:"prompt_tokens"`
	Completion uint64 `json:"completion_tokens"`
	Total      uint64 `json:"total_tokens"`
}

// response is an answer, or a chunk of one.
type response struct {
	ID          string `json:"id"`
	Object      string `json:"object"`
	Created     int64  `json:"created"`
	Model       string `json:"model"` // that answered
	Fingerprint string `json:"system_fingerprint"`
	Choices     []any  `json:"choices"`
	Usage       *usage `json:"usage,omitempty"`
}

// answer has the engine answer a request, and writes what it says.
func (s *Server) answer(x *exchange, r *http.Request, name string, q *request, f form) error {
	ctx := r.Context()
	m, err := s.find(ctx, name)
	if err != nil {
		return err
	}
	x.note("model", s.nameOf(m))
	if err := q.suits(m); err != nil {
		return err
	}
	before := s.o.Clock()
	leave, err := s.enter(ctx, len(q.ask.Prompts))
	if err != nil {
		return err
	}
	defer leave()
	x.note("waited_ms", s.o.Clock().Sub(before).Milliseconds())
	prefix, object, chunk := f.names()
	a := &answering{x: x, q: q, f: f, choices: make([]choice, len(q.ask.Prompts)), head: response{
		ID: prefix + x.id, Object: object, Created: s.o.Clock().Unix(), Model: s.nameOf(m), Fingerprint: fingerprint(m), Choices: []any{},
	}}
	if q.stream {
		a.head.Object = chunk
	}
	q.ask.Piece = a.piece // asked for in any case: a generator that shows what it writes has the texts of all requests in work together
	err = s.engine.Ask(ctx, m, q.ask, a.done)
	use := a.usage()
	x.note("prompt_tokens", use.Prompt, "completion_tokens", use.Completion)
	if s.o.LogTexts {
		for i := range a.choices {
			x.note("prompt", logged(q.ask.Prompts[i]), "completion", a.choices[i].text)
		}
	}
	if err != nil {
		return err
	}
	if q.stream {
		return a.end(use)
	}
	for i := range a.choices {
		a.head.Choices = append(a.head.Choices, f.whole(q, i, &a.choices[i]))
	}
	a.head.Usage = &use
	return x.json(a.head)
}

// logged is a prompt for the log.
func logged(p prompt) any {
	if p.System == "" && len(p.Turns) == 0 {
		return p.Text
	}
	return fmt.Sprintf("%+v", p)
}

// suits says what a generator cannot do of what is asked.
func (q *request) suits(m runtime.Model) error {
	switch {
	case q.logprobs && !m.Streams:
		return bad("logprobs", "this generator does not say how likely its tokens are")
	case len(q.ask.Prompts[0].Turns) > 0 && !m.Chats:
		return bad("messages", "this generator takes one message of the user, with a system message before it or without, and no chat")
	case q.ask.Sampling.JSONSchema != nil && !m.FollowsSchema:
		return bad("response_format", "this generator cannot follow a JSON schema")
	}
	return nil
}

// fingerprint names the bytes that answer.
func fingerprint(m runtime.Model) string {
	_, hex, _ := strings.Cut(m.Digest, ":")
	return "fp_" + hex[:min(12, len(hex))]
}

// answering is an answer while it comes.
type answering struct {
	x       *exchange
	q       *request
	f       form
	head    response
	choices []choice
}

// piece takes a part of a text.
func (a *answering) piece(i int, p runtime.Piece) error {
	c := &a.choices[i]
	c.text += p.Text
	certain := c.add(p.Tokens, len(c.text))
	if !a.q.stream || p.Text == "" && len(certain) == 0 {
		return nil
	}
	return a.show(i, p.Text, certain)
}

// done takes a whole text, and shows what no piece had.
func (a *answering) done(i int, d runtime.Completed) error {
	c := &a.choices[i]
	rest := strings.TrimPrefix(d.Text, c.text)
	c.text, c.finish, c.prompt, c.completion = d.Text, d.Finish, d.PromptTokens, d.CompletionTokens
	certain := c.add(nil, len(c.text))
	if d.Finish == "length" && d.Text == "" && d.CompletionTokens == 0 { // there was no room for a first token
		e := bad(a.f.asks(), "%s is longer than what the model can look at", a.f.asks())
		e.code = "context_length_exceeded"
		return e
	}
	if !a.q.stream {
		return nil
	}
	if rest != "" {
		if err := a.show(i, rest, certain); err != nil {
			return err
		}
	}
	if err := a.begin(i); err != nil {
		return err
	}
	return a.chunk(a.f.last(a.q, i, c))
}

// begin writes what comes before a text.
func (a *answering) begin(i int) error {
	c := &a.choices[i]
	if c.begun {
		return nil
	}
	c.begun = true
	if first := a.f.first(i); first != nil {
		return a.chunk(first)
	}
	return nil
}

func (a *answering) show(i int, text string, tokens []token) error {
	if err := a.begin(i); err != nil {
		return err
	}
	return a.chunk(a.f.piece(a.q, i, text, tokens, &a.choices[i]))
}

func (a *answering) chunk(choices ...any) error {
	c := a.head
	c.Choices = append([]any{}, choices...)
	return a.x.event(c)
}

// end ends a stream.
func (a *answering) end(use usage) error {
	if a.q.usage {
		c := a.head
		c.Usage = &use
		if err := a.x.event(c); err != nil {
			return err
		}
	}
	return a.x.send([]byte("data: [DONE]\n\n"))
}

// usage counts a prompt once, however many answers it has.
func (a *answering) usage() (u usage) {
	for i := range a.choices {
		if i%a.q.n == 0 {
			u.Prompt += a.choices[i].prompt
		}
		u.Completion += a.choices[i].completion
	}
	u.Total = u.Prompt + u.Completion
	return u
}

// within gives the client a time to take what is written next.
func (x *exchange) within() { x.until(x.now().Add(sendWithin)) }

func (x *exchange) until(t time.Time) {
	_ = http.NewResponseController(x).SetWriteDeadline(t) // a connection that takes none is none of HTTP's
}

func (x *exchange) json(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	x.within()
	x.Header().Set("Content-Type", "application/json")
	_, err = x.Write(append(b, '\n'))
	return err
}

// event writes a value as one event of a stream.
func (x *exchange) event(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if x.status == 0 {
		h := x.Header()
		h.Set("Content-Type", "text/event-stream")
		h.Set("Cache-Control", "no-cache")
	}
	return x.send(append(append([]byte("data: "), b...), "\n\n"...))
}

func (x *exchange) send(b []byte) error {
	x.within()
	if _, err := x.Write(b); err != nil {
		return err
	}
	return http.NewResponseController(x).Flush()
}

// find gives the generator of a name.
func (s *Server) find(ctx context.Context, name string) (runtime.Model, error) {
	all, err := s.engine.Models(ctx)
	if err != nil {
		return runtime.Model{}, err
	}
	for _, m := range s.offered(all) {
		if name == s.nameOf(m) || name == s.o.Name && s.stands(m) {
			return m, nil
		}
	}
	e := &apiError{status: http.StatusNotFound, typ: invalidRequest, param: "model", code: "model_not_found", message: fmt.Sprintf("there is no model %q; /v1/models lists what there is", clip(name))}
	if name == s.o.Name {
		e.message = "there is no generator yet; jupiter apply makes one"
	}
	return runtime.Model{}, e
}
