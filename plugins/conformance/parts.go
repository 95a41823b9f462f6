package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"jupiter/plugins/host"
	"jupiter/plugins/proto/pluginv1"
)

// generatorParts asks for the same in one message and in several: the first may have no part of the list, and a set of prompts
// may go on in the next message.
func generatorParts(ctx context.Context, s *subject) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	prompts := asked()
	if err := sameInParts(s, "prompts", func(parts ...[]*pluginv1.Prompt) ([]*pluginv1.Completion, error) {
		return s.complete(ctx, s.host, greedy(), parts...)
	}, prompts, nil, prompts[:1], prompts[1:4], prompts[4:]); err != nil {
		return err
	}
	set := func(template string, prompts []*pluginv1.Prompt) *pluginv1.PromptSet {
		return &pluginv1.PromptSet{Template: template, Prompts: prompts, Samples: 7}
	}
	if err := sameInParts(s, "sets", func(parts ...[]*pluginv1.PromptSet) ([]*pluginv1.Record, error) {
		return s.generate(ctx, s.host, 0, 1000, parts...)
	}, []*pluginv1.PromptSet{set("a", prompts[:4]), set("b", prompts[:2])},
		nil, []*pluginv1.PromptSet{set("a", prompts[:1])}, []*pluginv1.PromptSet{set("a", prompts[1:4]), set("b", prompts[:1])}, []*pluginv1.PromptSet{set("b", prompts[1:2])}); err != nil {
		return err
	}
	if !slices.Contains(s.schema.Features, "score") {
		return nil
	}
	err := sameInParts(s, "items to score", func(parts ...[]*pluginv1.LikelihoodItem) ([]*pluginv1.LikelihoodEvent, error) {
		return s.likelihoods(ctx, s.host, parts...)
	}, scored(), scored()[:1], scored()[1:])
	if host.Unsupported(err) { // in parts as in one: generator-score says so
		return nil
	}
	return err
}

// sameInParts compares the answers to a list in one message with those to its parts.
func sameInParts[T any, M proto.Message](s *subject, what string, ask func(parts ...[]T) ([]M, error), whole []T, parts ...[]T) error {
	want, err := ask(whole)
	if err != nil {
		return err
	}
	got, err := ask(parts...)
	if err != nil {
		return fmt.Errorf("%s in %d messages: %w", what, len(parts), err)
	}
	if len(got) != len(want) {
		return fmt.Errorf("%s in %d messages have %d answers, and %d in one", what, len(parts), len(got), len(want))
	}
	for i := range got {
		if s.sure() && !proto.Equal(got[i], want[i]) {
			return fmt.Errorf("%s in %d messages have another answer %d than in one", what, len(parts), i+1)
		}
	}
	return nil
}

// jsonSchema is what a generator with the feature json_schema is held to: an object with one whole number in it.
const jsonSchema = `{"type":"object","properties":{"answer":{"type":"integer"}},"required":["answer"],"additionalProperties":false}`

func generatorJSON(ctx context.Context, s *subject) error {
	if !slices.Contains(s.schema.Features, "json_schema") {
		return notChecked("the stage does not have the feature json_schema")
	}
	ctx, cancel := s.within(ctx)
	defer cancel()
	all, err := s.complete(ctx, s.host, &pluginv1.Sampling{MaxTokens: 256, JsonSchema: []byte(jsonSchema)}, asked())
	if err != nil {
		return err
	}
	ended := 0
	for _, c := range all {
		if c.FinishReason == "length" {
			continue // cut off in its middle
		}
		ended++
		if err := fitsSchema(c.Text); err != nil {
			return fmt.Errorf("the completion %q does not fit %s: %w", clip(c.Text), jsonSchema, err)
		}
	}
	if ended == 0 {
		return notChecked("no completion ends within 256 tokens")
	}
	return nil
}

// fitsSchema holds a text to jsonSchema.
func fitsSchema(text string) error {
	var o map[string]json.RawMessage
	var n json.Number
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	if len(o) != 1 || o["answer"] == nil {
		return errors.New("it has other members")
	}
	if err := json.Unmarshal(o["answer"], &n); err != nil || o["answer"][0] == '"' {
		return errors.New("answer is no number")
	}
	_, err := n.Int64()
	return err
}
