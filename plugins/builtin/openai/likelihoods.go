package openai

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"google.golang.org/protobuf/proto"

	"jupiter/plugins/sdk"
)

// scorerName is who gives likelihoods here.
const scorerName = "llama"

// Score lets the embedded engine give the likelihoods of a GGUF file's model. Servers give none of texts that they have not
// written. Prompts that the server is given as chats are scored as chats: what the server makes of them, by the model's own
// template, is what the engine reads. A server that does not tell leaves a model without likelihoods rather than with those of
// another text.
func (g *generator) Score(ctx context.Context, c *sdk.Call, cfg config, model *sdk.Artifact, items []*sdk.LikelihoodItem, emit func(*sdk.LikelihoodEvent) error) error {
	if model == nil {
		return sdk.Unsupported(errors.New("a server gives no likelihoods of texts that it has not written"))
	}
	named := func(e *sdk.LikelihoodEvent) error {
		e.Scorer = scorerName
		return emit(e)
	}
	if cfg.API != "chat" {
		return g.scorer.Score(ctx, c, model, items, named)
	}
	rendered, err := g.render(ctx, c, cfg, model, items)
	if err != nil || c.IsStopped() {
		return err
	}
	return g.scorer.ScoreRendered(ctx, c, model, rendered, named)
}

// render gives items with what the server makes of their prompts as chats. A prompt that is empty stands for text that answers
// nothing, and stays.
func (g *generator) render(ctx context.Context, c *sdk.Call, cfg config, model *sdk.Artifact, items []*sdk.LikelihoodItem) ([]*sdk.LikelihoodItem, error) {
	e, release, err := g.endpoint(ctx, cfg, model)
	if err != nil {
		return nil, err
	}
	defer release()
	if len(items) == 0 { // the host asks whether there will be likelihoods
		_, err := e.template(ctx, cfg, "?")
		return items, err
	}
	known := map[string]string{"": ""} // several items may ask one question
	out := make([]*sdk.LikelihoodItem, len(items))
	for i, it := range items {
		if c.IsStopped() {
			return nil, nil
		}
		text, done := known[it.GetPrompt()]
		if !done {
			if text, err = e.template(ctx, cfg, it.GetPrompt()); err != nil {
				return nil, err
			}
			known[it.GetPrompt()] = text
		}
		out[i] = proto.Clone(it).(*sdk.LikelihoodItem)
		out[i].Prompt = text
	}
	return out, nil
}

// template is the text that llama-server gives its model for a chat of one message.
func (e *endpoint) template(ctx context.Context, cfg config, prompt string) (string, error) {
	ask := map[string]any{"messages": []map[string]string{{"role": "user", "content": prompt}}}
	extra, err := object(cfg.Extra)
	if err != nil {
		return "", err
	}
	if more, there := extra["chat_template_kwargs"]; there {
		ask["chat_template_kwargs"] = more
	}
	body, err := json.Marshal(ask)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, identityWithin)
	defer cancel()
	var answer struct {
		Prompt string `json:"prompt"`
	}
	there, err := e.describe(ctx, http.MethodPost, strings.TrimSuffix(e.base, "/v1")+"/apply-template", body, &answer)
	switch {
	case err != nil:
		return "", err
	case !there || answer.Prompt == "":
		return "", sdk.Unsupported(fmt.Errorf("likelihoods of answers in a chat need the text that the server makes of it, which llama-server tells at /apply-template and %s does not", e.base))
	}
	return answer.Prompt, nil
}
