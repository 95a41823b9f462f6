package openai

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"time"

	pluginv1 "jupiter/plugins/proto/pluginv1"
	"jupiter/plugins/sdk"
)

// What a server is asked to find out what it can do. Each question costs some tokens.
const (
	checkTokens  = 16
	checkWithin  = 60 * time.Second
	checkSeed    = 7
	checkPrompt  = "Write one sentence about the sea."
	checkSchema  = `{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"],"additionalProperties":false}`
	schemaTokens = 64
)

// Check looks at the server: whether it is there and has the model, and what it can do. A server that runs a file of ours
// can only be looked for: there is no file here to start it on.
func (c config) Check(ctx context.Context) []*sdk.Finding {
	k := &checks{c: c}
	if c.APIKeyEnv != "" {
		if _, err := c.key(); err != nil {
			k.problem("key", err)
		} else {
			k.ok("key", "%s is set", c.APIKeyEnv)
		}
	}
	if c.Serve != nil {
		if path, err := exec.LookPath(c.Serve.Command); err != nil {
			k.problem("program", fmt.Errorf("%w: install it, or name where it is in serve.command", err))
		} else {
			k.ok("program", "%s", path)
		}
	}
	if k.failed {
		return k.found
	}
	if c.BaseURL == "" && c.Serve.mentions("{model}") {
		return append(k.found, &sdk.Finding{Subject: "model", Level: pluginv1.Finding_LEVEL_OK, Detail: "it is given to the server when there is one; what the server can do shows then"})
	}
	servers := newServers(time.Now)
	defer servers.close()
	e, release, err := endpointOf(ctx, servers, c, nil)
	if err != nil {
		k.problem("server", err)
		return k.found
	}
	defer release()
	k.server(ctx, e)
	return k.found
}

// checks gathers what is found.
type checks struct {
	c      config
	found  []*sdk.Finding
	failed bool
}

func (k *checks) add(subject string, level pluginv1.Finding_Level, detail string) {
	k.found = append(k.found, &sdk.Finding{Subject: subject, Level: level, Detail: clip(detail)})
}

func (k *checks) ok(subject, format string, args ...any) {
	k.add(subject, pluginv1.Finding_LEVEL_OK, fmt.Sprintf(format, args...))
}

func (k *checks) absent(subject string, why error) {
	k.add(subject, pluginv1.Finding_LEVEL_ABSENT, why.Error())
}

func (k *checks) problem(subject string, why error) {
	k.failed = true
	k.add(subject, pluginv1.Finding_LEVEL_PROBLEM, why.Error())
}

// needed is a problem where the configuration asks for it, and else only not there.
func (k *checks) needed(subject string, why error, asked bool) {
	if asked {
		k.problem(subject, why)
		return
	}
	k.absent(subject, why)
}

// server asks a server what it can do.
func (k *checks) server(ctx context.Context, e *endpoint) {
	began := time.Now()
	id, err := e.identity(ctx)
	if err != nil {
		k.problem("server", err)
		return
	}
	k.ok("server", "%s answers in %d ms", e.base, time.Since(began).Milliseconds())
	switch {
	case id.Listed:
		k.ok("model", "%s", id.Name)
	case id.Name != "":
		k.add("model", pluginv1.Finding_LEVEL_ABSENT, fmt.Sprintf("the server lists no models, so that nobody knows whether it has %q, nor when it changes", id.Name))
	default:
		k.add("model", pluginv1.Finding_LEVEL_ABSENT, "the server lists no models, and model_name names none")
	}
	e.model = id.Name
	system := &sdk.Prompt{System: "Answer briefly.", Text: checkPrompt}
	plain := &sdk.Prompt{Text: checkPrompt}
	var said *reply
	for _, way := range []struct{ subject, api string }{{"chat", "chat"}, {"completions", "completions"}} {
		a, err := k.ask(ctx, e, way.api, plain, checkSeed, nil)
		if err != nil {
			k.needed(way.subject, err, k.c.API == way.api || k.c.API == "auto" && way.api == "chat")
			continue
		}
		if k.ok(way.subject, "answers, %d tokens read and %d written", a.prompt, a.answer); said == nil {
			said = a
		}
	}
	if said == nil {
		return
	}
	if said.guessed {
		k.add("usage", pluginv1.Finding_LEVEL_ABSENT, "the server does not say how many tokens an answer took: they are guessed")
	} else {
		k.ok("usage", "tokens are counted by the server")
	}
	api := "chat"
	if k.c.API == "completions" {
		api = "completions"
	} else if _, err := k.ask(ctx, e, api, system, checkSeed, nil); err != nil {
		k.absent("system message", err)
	} else {
		k.ok("system message", "is taken")
	}
	k.capabilities(ctx, e, api, plain)
}

// capabilities asks for what only some servers have.
func (k *checks) capabilities(ctx context.Context, e *endpoint, api string, plain *sdk.Prompt) {
	a, err := k.ask(ctx, e, api, plain, checkSeed, func(c *config) { c.Logprobs = true })
	switch {
	case err != nil:
		k.needed("logprobs", err, k.c.Logprobs)
	case len(a.logprobs) == 0:
		k.needed("logprobs", fmt.Errorf("the answer has no log-probabilities"), k.c.Logprobs)
	default:
		k.ok("logprobs", "of %d tokens", len(a.logprobs))
	}
	if api == "chat" {
		a, err = k.ask(ctx, e, api, plain, checkSeed, func(c *config) {
			c.MaxTokens = max(c.MaxTokens, schemaTokens)
			if c.JSONSchema = k.c.JSONSchema; empty(c.JSONSchema) {
				c.JSONSchema = json.RawMessage(checkSchema)
			}
		})
		switch {
		case err != nil:
			k.needed("json schema", err, !empty(k.c.JSONSchema))
		case a.finish == "length" && strings.TrimSpace(a.text) == "":
			k.absent("json schema", fmt.Errorf("it is not known: the answer was cut after %d tokens before it began", a.answer))
		case a.finish == "length":
			k.ok("json schema", "the answer begins as JSON; it was cut after %d tokens", a.answer)
		default:
			k.ok("json schema", "the answer is JSON")
		}
	}
	k.randomness(ctx, e, api, plain)
}

// randomness looks whether a text follows from the seed, and whether it is drawn at all: a server may take a temperature and
// write the likeliest tokens all the same. So may one whose model is sure of what it says; hence it is no problem.
func (k *checks) randomness(ctx context.Context, e *endpoint, api string, plain *sdk.Prompt) {
	var texts []string
	for _, seed := range []uint64{checkSeed, checkSeed, checkSeed + 1, checkSeed + 2} {
		a, err := k.ask(ctx, e, api, plain, seed, nil)
		if err != nil {
			k.absent("seed", fmt.Errorf("it is not known: a question that was answered before is not: %w", err))
			return
		}
		texts = append(texts, a.text)
	}
	if texts[0] == texts[1] {
		k.ok("seed", "the same seed gives the same text")
	} else {
		k.absent("seed", fmt.Errorf("the same seed gives other texts"))
	}
	switch {
	case k.c.Temperature == 0:
	case texts[0] != texts[2] || texts[0] != texts[3]:
		k.ok("drawing", "another seed gives another text")
	default:
		k.absent("drawing", fmt.Errorf("seeds %d, %d and %d give the same text at temperature %g: this server may write the likeliest tokens whatever it is asked for", checkSeed, checkSeed+1, checkSeed+2, k.c.Temperature))
	}
}

// ask asks once, with the configuration's own parameters.
func (k *checks) ask(ctx context.Context, e *endpoint, api string, p *sdk.Prompt, seed uint64, change func(*config)) (*reply, error) {
	c := k.c
	c.API, c.MaxTokens, c.JSONSchema, c.Logprobs = api, min(c.MaxTokens, checkTokens), nil, false
	if change != nil {
		change(&c)
	}
	f := &form{c: c, s: c.sampling(nil, false), endpoint: e}
	r, err := f.request(p, seed)
	if err != nil {
		return nil, err
	}
	a, fail := e.ask(ctx, r, min(checkWithin, seconds(c.TimeoutSeconds)))
	if fail != nil {
		return nil, fail
	}
	return a, nil
}
