package serve

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"mime"
	"net/http"
	"os"
	"slices"
	"time"
)

// params are the parameters of a request that were not looked at yet. A parameter that is null is none. The first that is
// wrong is kept; what is read after it is the default.
type params struct {
	left map[string]json.RawMessage
	err  *apiError
}

// read takes the body of a request.
func read(x *exchange, r *http.Request) (*params, error) {
	// Another type is what a web page can send to a server of somebody else without being asked for it first.
	if typ, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || typ != "application/json" {
		return nil, &apiError{status: http.StatusUnsupportedMediaType, typ: invalidRequest, message: "the request's Content-Type is application/json"}
	}
	control := http.NewResponseController(x)
	if err := control.SetReadDeadline(x.now().Add(sendWithin)); err != nil {
		return nil, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(x.ResponseWriter, r.Body, maxBody))
	err = errors.Join(err, control.SetReadDeadline(time.Time{}))
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) || errors.Is(err, os.ErrDeadlineExceeded) || r.Context().Err() != nil {
			return nil, err
		}
		return nil, bad("", "the request could not be read: %v", err)
	}
	p := &params{}
	if err := json.Unmarshal(body, &p.left); err != nil {
		return nil, bad("", "the request is no JSON object: %v", err)
	}
	if p.left == nil {
		return nil, bad("", "the request is no JSON object")
	}
	maps.DeleteFunc(p.left, func(_ string, v json.RawMessage) bool { return string(v) == "null" })
	return p, nil
}

func (p *params) wrong(param, format string, args ...any) {
	if p.err == nil {
		p.err = bad(param, format, args...)
	}
}

// take decodes a parameter into v, and says whether it is there.
func (p *params) take(name string, v any, kind string) bool {
	raw, ok := p.left[name]
	if !ok {
		return false
	}
	delete(p.left, name)
	if err := json.Unmarshal(raw, v); err != nil {
		p.wrong(name, "%s is %s", name, kind)
		return false
	}
	return true
}

func (p *params) text(name string) (s string) {
	p.take(name, &s, "a string")
	return s
}

func (p *params) flag(name string) (b bool) {
	p.take(name, &b, "true or false")
	return b
}

// number is one between lo and hi.
func (p *params) number(name string, lo, hi, def float64) float64 {
	v := def
	if p.take(name, &v, "a number") && !(v >= lo && v <= hi) {
		p.wrong(name, "%s is %v: it lies between %v and %v", name, v, lo, hi)
		return def
	}
	return v
}

// count is a whole number between lo and hi.
func (p *params) count(name string, lo, hi, def int64) int64 {
	v := def
	if p.take(name, &v, "a whole number") && (v < lo || v > hi) {
		p.wrong(name, "%s is %d: it lies between %d and %d", name, v, lo, hi)
		return def
	}
	return v
}

// texts is a string, or a list of strings.
func (p *params) texts(name string) []string {
	raw, ok := p.left[name]
	if !ok {
		return nil
	}
	if len(raw) > 0 && raw[0] == '"' {
		return []string{p.text(name)}
	}
	var all []string
	p.take(name, &all, "a string or a list of strings")
	return all
}

// only refuses a parameter that would change the answer, unless its value is one that does not. why says what to do, or why
// there is no such thing here.
func (p *params) only(name, why string, harmless ...string) {
	raw, ok := p.left[name]
	if !ok {
		return
	}
	delete(p.left, name)
	var b bytes.Buffer
	if json.Compact(&b, raw) == nil && slices.Contains(harmless, b.String()) {
		return
	}
	p.wrong(name, "%s is not supported%s", name, why)
}

// ignored have no part in what a model writes.
var ignored = []string{"user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key", "prompt_cache_retention", "parallel_tool_calls"}

// end refuses what nobody has looked at.
func (p *params) end() error {
	for _, name := range ignored {
		delete(p.left, name)
	}
	for _, name := range slices.Sorted(maps.Keys(p.left)) {
		p.wrong(name, "%q is a parameter that this server does not have", clip(name))
	}
	if p.err != nil {
		return p.err
	}
	return nil
}

// request is what both endpoints come to.
type request struct {
	ask      asked
	n        int  // answers to each prompt
	stream   bool // read along
	usage    bool // with a last chunk that has the usage
	logprobs bool
	top      int // likeliest tokens beside each, 0 or 1
}

// common takes the parameters that completions and chats share.
func (p *params) common(seed func() uint64) *request {
	q := &request{n: int(p.count("n", 1, maxTexts, 1)), stream: p.flag("stream")}
	s := &q.ask.Sampling
	s.Temperature = p.number("temperature", 0, 2, 1)
	if top := p.number("top_p", 0, 1, 1); top == 0 {
		p.wrong("top_p", "top_p is 0: it is above 0 and at most 1. temperature = 0 always takes the likeliest token")
	} else if top < 1 {
		s.TopP = top
	}
	// Not OpenAI's, and understood by most servers.
	s.TopK = uint32(p.count("top_k", 0, math.MaxInt32, 0))
	s.MinP = p.number("min_p", 0, 1, 0)
	if by := p.number("repetition_penalty", 0.01, 100, 1); by != 1 {
		s.RepetitionPenalty = by
	}
	s.MaxTokens = uint32(p.count("max_tokens", 1, math.MaxInt32, 0))
	s.Stop = p.texts("stop")
	if len(s.Stop) > maxStop {
		p.wrong("stop", "stop has %d sequences, and there can be %d", len(s.Stop), maxStop)
	}
	for _, x := range s.Stop {
		if x == "" || len(x) > maxStopBytes {
			p.wrong("stop", "a sequence of stop has between 1 and %d bytes", maxStopBytes)
		}
	}
	q.ask.Seed = seed()
	if given := int64(0); p.take("seed", &given, "a whole number") {
		q.ask.Seed = uint64(given)
	}
	var so struct {
		Usage bool `json:"include_usage"`
	}
	if p.take("stream_options", &so, "an object") && !q.stream {
		p.wrong("stream_options", "stream_options goes with stream = true")
	}
	q.usage = so.Usage
	const penalty = "; repetition_penalty is"
	p.only("presence_penalty", penalty, "0", "0.0")
	p.only("frequency_penalty", penalty, "0", "0.0")
	p.only("logit_bias", "", "{}")
	return q
}

// likeliest takes how many of the likeliest tokens are to stand beside each.
func (q *request) likeliest(p *params, name string, n int64) {
	switch {
	case n > 1:
		p.wrong(name, "%s is %d, and at most the one likeliest token is known", name, n)
	case n == 1 && q.ask.Sampling.Temperature > 0:
		p.wrong(name, "%s is 1, and the likeliest token is known where temperature is 0 alone", name)
	}
	q.top = int(n)
}

// prompts repeats each prompt as often as it is to be answered.
func (q *request) prompts(p *params, param string, all ...prompt) {
	if len(all)*q.n > maxTexts {
		p.wrong(param, "%d prompts with n = %d are more than the %d texts that a request may have", len(all), q.n, maxTexts)
		return
	}
	for _, x := range all {
		q.ask.Prompts = append(q.ask.Prompts, slices.Repeat([]prompt{x}, q.n)...)
	}
}

// modelName takes the parameter model.
func (p *params) modelName() string {
	name := p.text("model")
	if name == "" {
		p.wrong("model", "model is missing: /v1/models lists what there is")
	}
	return name
}

// at is the path of an item of a list.
func at(list string, i int, field string) string { return fmt.Sprintf("%s[%d]%s", list, i, field) }
