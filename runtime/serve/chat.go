package serve

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"jupiter/runtime"
)

// chat is POST /v1/chat/completions.
func (s *Server) chat(x *exchange, r *http.Request) error {
	p, err := read(x, r)
	if err != nil {
		return err
	}
	name := p.modelName()
	longest := p.count("max_completion_tokens", 1, 1<<31-1, 0)
	q := p.common(s.o.Seed)
	if short := q.ask.Sampling.MaxTokens; short == 0 {
		q.ask.Sampling.MaxTokens = uint32(longest)
	} else if longest > 0 && int64(short) != longest {
		p.wrong("max_tokens", "max_tokens is %d and max_completion_tokens is %d: they are the same", short, longest)
	}
	q.prompts(p, "n", s.conversation(p))
	if top := p.count("top_logprobs", 0, 20, 0); p.flag("logprobs") {
		q.logprobs = true
		q.likeliest(p, "top_logprobs", top)
	} else if top > 0 {
		p.wrong("top_logprobs", "top_logprobs goes with logprobs = true")
	}
	q.follow(p)
	const tools = ": the model calls no tools"
	p.only("tools", tools, "[]")
	p.only("tool_choice", tools, `"none"`, `"auto"`)
	p.only("functions", tools, "[]")
	p.only("function_call", tools, `"none"`, `"auto"`)
	p.only("modalities", ": an answer is text", `["text"]`)
	if err := p.end(); err != nil {
		return err
	}
	return s.answer(x, r, name, q, chatForm{})
}

// conversation takes messages. A user's message alone is the prompt, as a cycle asks its generators; with a system message it
// is a question under that. All else is a chat, which not every generator takes.
func (s *Server) conversation(p *params) prompt {
	var raw []map[string]json.RawMessage
	if !p.take("messages", &raw, "a list of messages, each an object") || len(raw) == 0 {
		p.wrong("messages", "messages is missing or empty")
		return prompt{}
	}
	var turns []runtime.Turn
	for i, m := range raw {
		turns = append(turns, p.turn(i, m))
	}
	switch n := len(turns); {
	case p.err != nil:
	case turns[n-1].Role != "user":
		p.wrong(at("messages", n-1, ""), "the last message is the user's, whom the model answers")
	case n == 1 && !s.o.Chat:
		return prompt{Text: turns[0].Content}
	case n == 2 && turns[0].Role == "system" && turns[0].Content != "":
		return prompt{System: turns[0].Content, Text: turns[1].Content}
	}
	return prompt{Turns: turns}
}

// turn takes message i.
func (p *params) turn(i int, m map[string]json.RawMessage) (t runtime.Turn) {
	var content json.RawMessage
	for name, v := range m {
		switch err := error(nil); name {
		case "role":
			if err = json.Unmarshal(v, &t.Role); err != nil {
				p.wrong(at("messages", i, ".role"), "a role is a string")
			}
		case "content":
			content = v
		default:
			if string(v) != "null" {
				p.wrong(at("messages", i, "."+clip(name)), "a message has a role and a content; %q is not supported", clip(name))
			}
		}
	}
	if t.Role == "developer" {
		t.Role = "system" // OpenAI's newer name of it
	}
	if !slices.Contains([]string{"system", "user", "assistant"}, t.Role) {
		p.wrong(at("messages", i, ".role"), "the role of a message is system, user or assistant, not %q", clip(t.Role))
	}
	if json.Unmarshal(content, &t.Content) == nil && string(content) != "null" {
		return t
	}
	var parts []struct{ Type, Text string }
	if json.Unmarshal(content, &parts) != nil || len(parts) == 0 {
		p.wrong(at("messages", i, ".content"), "the content of a message is a string or a list of parts of the type text")
		return t
	}
	var b strings.Builder
	for _, part := range parts {
		if part.Type != "text" {
			p.wrong(at("messages", i, ".content"), "a part of a message is of the type text, not %q", clip(part.Type))
		}
		b.WriteString(part.Text)
	}
	t.Content = b.String()
	return t
}

// follow takes response_format: nothing, text, or a JSON schema.
func (q *request) follow(p *params) {
	var f struct {
		Type   string `json:"type"`
		Schema struct {
			Schema json.RawMessage `json:"schema"`
		} `json:"json_schema"`
	}
	if !p.take("response_format", &f, "an object") {
		return
	}
	switch {
	case f.Type == "text":
	case f.Type == "json_schema" && len(f.Schema.Schema) > 0 && f.Schema.Schema[0] == '{':
		q.ask.Sampling.JSONSchema = f.Schema.Schema
	default:
		p.wrong("response_format", "response_format is text, or json_schema with a schema")
	}
}

// chatForm is how chats are answered.
type chatForm struct{}

func (chatForm) names() (prefix, object, chunk string) {
	return "chatcmpl-", "chat.completion", "chat.completion.chunk"
}

func (chatForm) asks() string { return "messages" }

type message struct {
	Role    string  `json:"role"`
	Content string  `json:"content"`
	Refusal *string `json:"refusal"`
}

type chatChoice struct {
	Index    int           `json:"index"`
	Message  message       `json:"message"`
	Logprobs *chatLogprobs `json:"logprobs"`
	Finish   *string       `json:"finish_reason"`
}

// delta is what a chunk adds to the message.
type delta struct {
	Role    string  `json:"role,omitempty"`
	Content *string `json:"content,omitempty"`
}

type chatChunk struct {
	Index    int           `json:"index"`
	Delta    delta         `json:"delta"`
	Logprobs *chatLogprobs `json:"logprobs"`
	Finish   *string       `json:"finish_reason"`
}

type chatLogprobs struct {
	Content []chatToken `json:"content"`
	Refusal []chatToken `json:"refusal"`
}

type chatToken struct {
	Token   string      `json:"token"`
	Logprob float64     `json:"logprob"`
	Bytes   []int       `json:"bytes"`
	Top     []chatToken `json:"top_logprobs,omitempty"`
}

func (chatForm) whole(q *request, i int, c *choice) any {
	return chatChoice{i, message{"assistant", c.text, nil}, chatLogprobsOf(q, c.tokens), &c.finish}
}

func (chatForm) first(i int) any {
	return chatChunk{Index: i, Delta: delta{Role: "assistant", Content: new(string)}}
}

func (chatForm) piece(q *request, i int, text string, tokens []token, _ *choice) any {
	return chatChunk{Index: i, Delta: delta{Content: &text}, Logprobs: chatLogprobsOf(q, tokens)}
}

func (chatForm) last(_ *request, i int, c *choice) any {
	return chatChunk{Index: i, Finish: &c.finish}
}

func chatLogprobsOf(q *request, tokens []token) *chatLogprobs {
	if !q.logprobs {
		return nil
	}
	l := &chatLogprobs{Content: []chatToken{}}
	for _, t := range tokens {
		c := chatToken{Token: t.name(), Logprob: t.logprob, Bytes: []int{}}
		for _, b := range t.text {
			c.Bytes = append(c.Bytes, int(b))
		}
		if q.top > 0 {
			c.Top = []chatToken{c}
		}
		l.Content = append(l.Content, c)
	}
	return l
}
