package openai

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"jupiter/plugins/sdk"
)

// A request is one text that is asked for.
type request struct {
	body []byte
	path string // of the interface: /chat/completions or /completions
	stop []string
	json bool // the answer has to be JSON
	size int  // bytes of what the model reads
}

// A form is all that the requests of one call have in common.
type form struct {
	c        config
	s        sampling
	endpoint *endpoint
}

type sampling struct {
	temperature, topP float64
	maxTokens         uint32
	stop              []string
	schema            json.RawMessage
	more              map[string]any // what only some servers take
}

// sampling is what a call asks for, or the configuration where it says nothing. In a message 0 switches a filter or the
// penalty off, and max_tokens 0 is the configuration's: how long a text may be is no matter of decoding.
//
// The servers that run GGUF files have defaults of their own for filters that OpenAI's interface does not know. For a file of
// ours these are said to be off, so that what is measured of a model is the model's.
func (c config) sampling(s *sdk.Sampling, gguf bool) sampling {
	out := sampling{temperature: c.Temperature, topP: c.TopP, maxTokens: c.MaxTokens, stop: c.Stop, schema: c.JSONSchema, more: map[string]any{}}
	if gguf {
		out.more = map[string]any{"top_k": 0, "min_p": 0, "repeat_penalty": 1}
	}
	if s == nil {
		return out
	}
	out.temperature, out.topP, out.stop = s.GetTemperature(), s.GetTopP(), s.GetStop()
	if out.topP == 0 {
		out.topP = 1
	}
	if s.GetMaxTokens() > 0 {
		out.maxTokens = s.GetMaxTokens()
	}
	if len(s.GetJsonSchema()) > 0 {
		out.schema = s.GetJsonSchema()
	}
	if s.GetTopK() > 0 {
		out.more["top_k"] = s.GetTopK()
	}
	if s.GetMinP() > 0 {
		out.more["min_p"] = s.GetMinP()
	}
	if p := s.GetRepetitionPenalty(); p > 0 && p != 1 {
		out.more["repeat_penalty"] = p // llama.cpp's name
		out.more["repetition_penalty"] = p
	}
	return out
}

// chats says whether a prompt is put as a chat.
func (f *form) chats(p *sdk.Prompt) (bool, error) {
	switch {
	case f.c.API == "chat" || f.c.API == "auto" && (p.GetSystem() != "" || !f.endpoint.gguf || !empty(f.s.schema)):
		return true, nil
	case p.GetSystem() != "":
		return false, fmt.Errorf(`prompt %q has a system message, which completions have no place for: write api = "auto" or "chat"`, p.GetId())
	case !empty(f.s.schema):
		return false, fmt.Errorf(`a JSON schema goes with chat: write api = "auto" or "chat"`)
	}
	return false, nil
}

// request puts a prompt. The seed is that of this one text.
func (f *form) request(p *sdk.Prompt, seed uint64) (*request, error) {
	chat, err := f.chats(p)
	if err != nil {
		return nil, err
	}
	r := &request{stop: f.s.stop, json: !empty(f.s.schema), size: len(p.GetSystem()) + len(p.GetText())}
	params := map[string]any{
		"temperature": f.s.temperature, "top_p": f.s.topP, "max_tokens": f.s.maxTokens,
		"seed": seed & math.MaxInt32, // what all servers take for a seed
	}
	if f.endpoint.model != "" {
		params["model"] = f.endpoint.model
	}
	if len(f.s.stop) > 0 {
		params["stop"] = f.s.stop
	}
	if chat {
		r.path = "/chat/completions"
		messages := []map[string]string{{"role": "user", "content": p.GetText()}}
		if p.GetSystem() != "" {
			messages = slices.Insert(messages, 0, map[string]string{"role": "system", "content": p.GetSystem()})
		}
		params["messages"] = messages
		if r.json {
			params["response_format"] = map[string]any{"type": "json_schema", "json_schema": map[string]any{"name": "answer", "strict": true, "schema": f.s.schema}}
		}
		if f.c.Logprobs {
			params["logprobs"] = true
		}
	} else {
		r.path = "/completions"
		params["prompt"] = p.GetText()
		if f.c.Logprobs {
			params["logprobs"] = 1
		}
	}
	maps.Copy(params, f.s.more)
	extra, err := object(f.c.Extra)
	if err != nil {
		return nil, err
	}
	for name, v := range extra {
		params[name] = v
	}
	for _, name := range f.c.Omit {
		delete(params, name)
	}
	r.body, err = json.Marshal(params)
	return r, err
}

// A reply is a server's answer to a request.
type reply struct {
	text     string
	finish   string // stop, length
	logprobs []float32
	prompt   uint64 // tokens
	answer   uint64
	guessed  bool   // the server reports no tokens
	why      string // no text for a reason of its own: content_filter; "": there is a text
}

// response is what servers answer with, of chat and of completions.
type response struct {
	Choices []struct {
		Text    *string `json:"text"`
		Message *struct {
			Content *string `json:"content"`
			Refusal *string `json:"refusal"`
		} `json:"message"`
		FinishReason *string         `json:"finish_reason"`
		Logprobs     json.RawMessage `json:"logprobs"`
	} `json:"choices"`
	Usage *struct {
		PromptTokens     uint64 `json:"prompt_tokens"`
		CompletionTokens uint64 `json:"completion_tokens"`
	} `json:"usage"`
	Error json.RawMessage `json:"error"`
}

// bytesPerToken is how much text a token is taken to hold where nobody says.
const bytesPerToken = 4

// maxText is where a text is cut: a record has to fit a message.
const maxText = 2 << 20

// maxTokens is more than any answer has: a count above it is none.
const maxTokens = 1 << 32

// read understands a body with status 200. Its errors are of what is no answer; the reply then has the tokens, where the
// server told.
func (r *request) read(body []byte) (*reply, error) {
	var m response
	if err := json.Unmarshal(body, &m); err != nil {
		return r.guess(len(body)), fmt.Errorf("its answer is not JSON as it should be: %w", err)
	}
	out := r.guess(0)
	if u := m.Usage; u != nil && u.PromptTokens <= maxTokens && u.CompletionTokens <= maxTokens && u.PromptTokens+u.CompletionTokens > 0 {
		out.prompt, out.answer, out.guessed = u.PromptTokens, u.CompletionTokens, false
	}
	if !empty(m.Error) {
		return out, fmt.Errorf("it says: %s", message(m.Error))
	}
	if len(m.Choices) == 0 {
		return out, fmt.Errorf("its answer has no choices")
	}
	c := m.Choices[0]
	switch {
	case c.Text != nil:
		out.text = *c.Text
	case c.Message == nil:
		return out, fmt.Errorf("its answer has neither a text nor a message")
	case c.Message.Content != nil:
		out.text = *c.Message.Content
	case c.Message.Refusal != nil:
		out.why = "refusal"
	}
	out.finish = "stop"
	if c.FinishReason != nil {
		switch *c.FinishReason {
		case "length", "max_tokens":
			out.finish = "length"
		case "content_filter":
			out.text, out.why = "", "content_filter"
		case "load":
			return out, errLoaded
		}
	}
	r.cut(out)
	if out.guessed {
		out.answer = tokensOf(len(out.text))
	}
	out.logprobs = logprobs(c.Logprobs)
	if r.json && out.why == "" && !isJSON(out.text, out.finish == "length") {
		return out, errNotHeld
	}
	return out, nil
}

// isJSON looks at a text, or at the beginning of one that was cut.
func isJSON(text string, cut bool) bool {
	if json.Valid([]byte(text)) {
		return true
	}
	err := json.NewDecoder(strings.NewReader(text)).Decode(new(any))
	return cut && (errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)) // it ends too early, or has not begun
}

// errNotHeld is no matter of another try: the server does not do what it was asked to.
var errNotHeld = fmt.Errorf("its answer is no JSON although it was given a JSON schema: this server does not hold models to one")

// errLoaded would come again: some servers take a request for nothing to go on from for one to get ready.
var errLoaded = fmt.Errorf("it has loaded its model and written nothing, as Ollama does where a prompt is empty: give the domain's template a prompt")

func tokensOf(bytes int) uint64 { return uint64((bytes + bytesPerToken - 1) / bytesPerToken) }

// guess is a reply without text, and with what its tokens may have been.
func (r *request) guess(bytes int) *reply {
	return &reply{prompt: tokensOf(r.size), answer: tokensOf(bytes), guessed: true}
}

// cut ends a text before the first stop sequence, which some servers leave in it, and where it would not fit a message.
func (r *request) cut(out *reply) {
	out.text = strings.ToValidUTF8(out.text, "\uFFFD")
	for _, s := range r.stop {
		if before, _, found := strings.Cut(out.text, s); found {
			out.text, out.finish = before, "stop"
		}
	}
	if len(out.text) > maxText {
		out.text, out.finish = strings.ToValidUTF8(out.text[:maxText], ""), "length"
	}
}

// logprobs reads the log-probabilities of an answer's tokens in either of the forms that there are; nil where there are none.
func logprobs(j json.RawMessage) []float32 {
	var m struct {
		Content []struct {
			Logprob float64 `json:"logprob"`
		} `json:"content"`
		TokenLogprobs []*float64 `json:"token_logprobs"`
	}
	if empty(j) || json.Unmarshal(j, &m) != nil {
		return nil
	}
	var out []float32
	for _, t := range m.Content {
		out = append(out, float32(min(0, t.Logprob)))
	}
	if out != nil {
		return out
	}
	for _, l := range m.TokenLogprobs {
		if l != nil {
			out = append(out, float32(min(0, *l)))
		}
	}
	return out
}
