package conformance

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"google.golang.org/protobuf/proto"

	"jupiter/plugins/contract"
	"jupiter/plugins/host"
	"jupiter/plugins/proto/pluginv1"
)

// modelOf is what a generator is to run: that of the options, what an exporter of the same plugin made, or nil for the base
// generator that its configuration names.
func (s *subject) modelOf() (*pluginv1.Artifact, error) {
	if s.Model != "" {
		path, err := filepath.Abs(s.Model)
		return &pluginv1.Artifact{Path: path, MediaType: first(s.schema.Consumes)}, err
	}
	from := s.of("exporter", func(x *subject) bool { return x.model != nil && shares(x.schema.Produces, s.schema.Consumes) })
	if from != nil {
		return from.model, nil
	}
	return nil, nil
}

// asked are the prompts of all checks.
func asked() []*pluginv1.Prompt {
	var all []*pluginv1.Prompt
	for i, text := range []string{"fake 3:", "What is the sum of 2 and 3?", "Write a line.\n", "fake 12345:", "a", "What is the sum of 2 and 3? "} {
		all = append(all, &pluginv1.Prompt{Id: fmt.Sprintf("q%d", i), Text: text})
	}
	return all
}

// greedy is the sampling of all completions.
func greedy() *pluginv1.Sampling { return &pluginv1.Sampling{MaxTokens: 24} }

// opening gives the common parts of a request to a generator.
func (s *subject) opening(ctx context.Context, h *host.Host) (*host.Stage, *pluginv1.Call, *pluginv1.Artifact, error) {
	model, err := s.modelOf()
	if err != nil {
		return nil, nil, nil, err
	}
	call, err := s.call(h)
	if err != nil {
		return nil, nil, nil, err
	}
	on, err := s.on(ctx, h)
	return on, call, model, err
}

// sets are what the plain call draws: whole samples, and answers to prompts.
func sets() []*pluginv1.PromptSet {
	return []*pluginv1.PromptSet{{Template: "whole", Samples: 5}, {Template: "asked", Prompts: asked()[:2], Samples: 4}}
}

// generate draws samples, asked for in parts: one a message. It stops to read after most records.
func (s *subject) generate(ctx context.Context, h *host.Host, limit uint64, most int, parts ...[]*pluginv1.PromptSet) (all []*pluginv1.Record, err error) {
	on, call, model, err := s.opening(ctx, h)
	if err != nil {
		return nil, err
	}
	if limit > 0 {
		call.Limit = &pluginv1.Limit{Tokens: limit}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := on.Generator().Generate(ctx)
	if err != nil {
		return nil, err
	}
	var requests []*pluginv1.GenerateRequest
	for _, sets := range parts {
		requests = append(requests, &pluginv1.GenerateRequest{Sets: sets})
	}
	requests[0].Call, requests[0].Model = call, model
	if err := sendAll(stream, requests...); err != nil {
		return nil, err
	}
	err = each(stream.Recv, func(e *pluginv1.GenerateEvent) error {
		if all = append(all, e.GetBatch().GetRecords()...); len(all) > most {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return all, err
}

// complete has prompts answered, in parts: one a message.
func (s *subject) complete(ctx context.Context, h *host.Host, sampling *pluginv1.Sampling, parts ...[]*pluginv1.Prompt) (all []*pluginv1.Completion, err error) {
	on, call, model, err := s.opening(ctx, h)
	if err != nil {
		return nil, err
	}
	stream, err := on.Generator().Complete(ctx)
	if err != nil {
		return nil, err
	}
	var requests []*pluginv1.CompleteRequest
	for _, prompts := range parts {
		requests = append(requests, &pluginv1.CompleteRequest{Prompts: prompts})
	}
	requests[0].Call, requests[0].Model, requests[0].Sampling = call, model, sampling
	if err := sendAll(stream, requests...); err != nil {
		return nil, err
	}
	err = each(stream.Recv, func(e *pluginv1.CompleteEvent) error {
		if c := e.GetCompletion(); c != nil {
			all = append(all, c)
		}
		return nil
	})
	return all, err
}

func (s *subject) plainGenerate(ctx context.Context, h *host.Host, t *transcript) error {
	samples, err := s.generate(ctx, h, 0, mostCollected, sets())
	if err != nil {
		return err
	}
	for _, r := range samples {
		t.add(r)
	}
	answers, err := s.complete(ctx, h, greedy(), asked())
	if err != nil {
		return err
	}
	for _, c := range answers {
		t.add(c)
	}
	if !slices.Contains(s.schema.Features, "score") {
		return nil
	}
	scores, err := s.likelihoods(ctx, h, scored())
	for _, e := range scores {
		t.add(e)
	}
	if host.Unsupported(err) { // of this model: generator-score says so
		return nil
	}
	return err
}

func generatorSamples(ctx context.Context, s *subject) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	for _, set := range sets() {
		all, err := s.generate(ctx, s.host, 0, 1000, []*pluginv1.PromptSet{set})
		if err != nil {
			return err
		}
		if uint64(len(all)) != set.Samples {
			return fmt.Errorf("%d samples of %d with %d prompts", len(all), set.Samples, len(set.Prompts))
		}
		for i, r := range all {
			wrong := contract.Record(r, false)
			switch {
			case wrong != "":
				return fmt.Errorf("sample %d %s", i, wrong)
			case len(set.Prompts) > 0 && r.Prompt != set.Prompts[i%len(set.Prompts)].Text:
				return fmt.Errorf("sample %d of %d prompts has the prompt %q, and %q is next", i, len(set.Prompts), clip(r.Prompt), set.Prompts[i%len(set.Prompts)].Text)
			}
		}
	}
	none, err := s.generate(ctx, s.host, 0, 1000, []*pluginv1.PromptSet{{Template: "whole"}})
	if err == nil && len(none) > 0 {
		err = fmt.Errorf("%d samples where none was asked for", len(none))
	}
	return err
}

func generatorContinues(ctx context.Context, s *subject) error {
	if !s.sure() {
		return s.unsure()
	}
	ctx, cancel := s.within(ctx)
	defer cancel()
	const all, from = 9, 4
	for _, prompts := range [][]*pluginv1.Prompt{nil, asked()[:2]} {
		whole, err := s.generate(ctx, s.host, 0, 1000, []*pluginv1.PromptSet{{Template: "t", Prompts: prompts, Samples: all}})
		if err != nil {
			return err
		}
		rest, err := s.generate(ctx, s.host, 0, 1000, []*pluginv1.PromptSet{{Template: "t", Prompts: prompts, StartIndex: from, Samples: all - from}})
		if err != nil {
			return err
		}
		if len(whole) < all {
			return notChecked("there are too few samples, see generator-samples")
		}
		if at, same := sameRecords(whole[from:all], rest, false); !same {
			return fmt.Errorf("sample %d is another one when drawing begins at %d, with %d prompts", from+at, from, len(prompts))
		}
	}
	return nil
}

// generatorLimit asks for far more than the limit allows. A few samples may be in work when it is reached.
func generatorLimit(ctx context.Context, s *subject) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	const samples, limit = 5000, 100
	got, err := s.generate(ctx, s.host, limit, samples/2, []*pluginv1.PromptSet{{Template: "whole", Samples: samples}})
	if errors.Is(err, errSlow) {
		return fmt.Errorf("it goes on at a limit of %d tokens: %w", limit, err)
	}
	if err != nil {
		return err
	}
	if len(got) > samples/2 {
		return fmt.Errorf("%d samples and more at a limit of %d tokens", len(got), limit)
	}
	return nil
}

// plenty are more samples than a stop lets a generator draw.
const plenty = 20_000

func (s *subject) beginGenerate(ctx context.Context, h *host.Host, call *pluginv1.Call) (*going, error) {
	stream, err := s.drawPlenty(ctx, h, call)
	if err != nil {
		return nil, err
	}
	return receiving(stream), nil
}

func (s *subject) drawPlenty(ctx context.Context, h *host.Host, call *pluginv1.Call) (func() (*pluginv1.GenerateEvent, error), error) {
	model, err := s.modelOf()
	if err != nil {
		return nil, err
	}
	on, err := s.on(ctx, h)
	if err != nil {
		return nil, err
	}
	stream, err := on.Generator().Generate(ctx)
	if err != nil {
		return nil, err
	}
	set := &pluginv1.PromptSet{Template: "whole", Samples: plenty}
	return stream.Recv, sendAll(stream, &pluginv1.GenerateRequest{Call: call, Model: model, Sets: []*pluginv1.PromptSet{set}})
}

// mostRedrawn bounds the samples that are drawn again after a stop.
const mostRedrawn = 500

func (s *subject) stopGenerate(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.Timeout+2*s.Grace, errSlow)
	defer cancel()
	call, err := s.call(s.host)
	if err != nil {
		return err
	}
	recv, err := s.drawPlenty(ctx, s.host, call)
	if err != nil {
		return err
	}
	var part []*pluginv1.Record
	g := receiving(func() (*pluginv1.GenerateEvent, error) {
		e, err := recv()
		part = append(part, e.GetBatch().GetRecords()...)
		return e, err
	})
	if err := g.next(); err != nil {
		return err
	}
	if err := s.stopAnd(ctx, g); err != nil {
		return err
	}
	if len(part) >= plenty {
		return notChecked("all %d samples were drawn before it could be stopped", plenty)
	}
	if !s.sure() {
		return nil
	}
	n := min(len(part), mostRedrawn)
	again, err := s.generate(ctx, s.host, 0, plenty, []*pluginv1.PromptSet{{Template: "whole", Samples: uint64(n)}})
	if err != nil {
		return err
	}
	for i := range min(n, len(again)) {
		if !proto.Equal(part[i], again[i]) {
			return fmt.Errorf("sample %d before a stop is not what an undisturbed call draws", i)
		}
	}
	return nil
}
