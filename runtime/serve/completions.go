package serve

import (
	"encoding/json"
	"net/http"

	"jupiter/runtime"
)

type (
	asked  = runtime.Ask
	prompt = runtime.Prompt
)

// completions is POST /v1/completions.
func (s *Server) completions(x *exchange, r *http.Request) error {
	p, err := read(x, r)
	if err != nil {
		return err
	}
	name := p.modelName()
	q := p.common(s.o.Seed)
	var all []prompt
	texts, given := p.prompts()
	for _, t := range texts {
		all = append(all, prompt{Text: t})
	}
	if !given {
		p.wrong("prompt", "prompt is missing")
	}
	q.prompts(p, "prompt", all...)
	q.choicesOf(p)
	p.only("echo", ": the prompt is not given back", "false")
	p.only("suffix", ": texts are gone on with, not filled in", `""`)
	if err := p.end(); err != nil {
		return err
	}
	return s.answer(x, r, name, q, completionForm{})
}

// prompts takes prompt: a string or a list of strings.
func (p *params) prompts() (texts []string, given bool) {
	raw, ok := p.left["prompt"]
	if !ok {
		return nil, false
	}
	var ids []json.RawMessage
	if json.Unmarshal(raw, &ids) == nil {
		for _, id := range ids {
			if len(id) > 0 && id[0] != '"' {
				delete(p.left, "prompt")
				p.wrong("prompt", "prompt is a string or a list of strings: lists of token ids are not supported")
				return nil, true
			}
		}
		if len(ids) == 0 {
			p.wrong("prompt", "prompt is an empty list")
		}
	}
	return p.texts("prompt"), true
}

// choicesOf takes logprobs and best_of of a completion.
func (q *request) choicesOf(p *params) {
	if _, ok := p.left["logprobs"]; ok {
		q.logprobs = true
		q.likeliest(p, "logprobs", p.count("logprobs", 0, 5, 0))
	}
	if best := p.count("best_of", 1, maxTexts, int64(q.n)); best != int64(q.n) {
		p.wrong("best_of", "best_of is %d and n is %d: no answer is left out", best, q.n)
	}
}

// completionForm is how completions are answered.
type completionForm struct{}

func (completionForm) names() (prefix, object, chunk string) {
	return "cmpl-", "text_completion", "text_completion"
}

func (completionForm) asks() string { return "prompt" }

type completionChoice struct {
	Index    int           `json:"index"`
	Text     string        `json:"text"`
	Logprobs *textLogprobs `json:"logprobs"`
	Finish   *string       `json:"finish_reason"`
}

// textLogprobs has an element of each list for each token.
type textLogprobs struct {
	Tokens        []string             `json:"tokens"`
	TokenLogprobs []float64            `json:"token_logprobs"`
	TopLogprobs   []map[string]float64 `json:"top_logprobs"` // null: not asked for
	TextOffset    []int                `json:"text_offset"`
}

func (completionForm) whole(q *request, i int, c *choice) any {
	return completionChoice{i, c.text, c.textLogprobs(q, c.tokens), &c.finish}
}

func (completionForm) first(int) any { return nil }

func (completionForm) piece(q *request, i int, text string, tokens []token, c *choice) any {
	return completionChoice{i, text, c.textLogprobs(q, tokens), nil}
}

func (completionForm) last(q *request, i int, c *choice) any {
	return completionChoice{i, "", nil, &c.finish}
}

func (c *choice) textLogprobs(q *request, tokens []token) *textLogprobs {
	if !q.logprobs {
		return nil
	}
	l := &textLogprobs{Tokens: []string{}, TokenLogprobs: []float64{}, TextOffset: []int{}}
	for _, t := range tokens {
		l.Tokens = append(l.Tokens, t.name())
		l.TokenLogprobs = append(l.TokenLogprobs, t.logprob)
		l.TextOffset = append(l.TextOffset, t.offset)
		if q.top > 0 {
			l.TopLogprobs = append(l.TopLogprobs, map[string]float64{t.name(): t.logprob})
		}
	}
	return l
}
