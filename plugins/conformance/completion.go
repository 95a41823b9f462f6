package conformance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"jupiter/plugins/contract"
	"jupiter/plugins/host"
	"jupiter/plugins/proto/pluginv1"
)

func generatorOrder(ctx context.Context, s *subject) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	var prompts []*pluginv1.Prompt
	for i := range 30 {
		prompts = append(prompts, &pluginv1.Prompt{Id: fmt.Sprintf("n%d", i), Text: asked()[i%len(asked())].Text})
	}
	all, err := s.complete(ctx, s.host, greedy(), prompts)
	if err != nil {
		return err
	}
	for i, c := range all {
		if c.PromptId != prompts[i].Id {
			return fmt.Errorf("completion %d is for %q, and %q is next", i+1, c.PromptId, prompts[i].Id)
		}
	}
	if len(all) != len(prompts) {
		return fmt.Errorf("%d completions of %d prompts", len(all), len(prompts))
	}
	none, err := s.complete(ctx, s.host, greedy(), nil)
	if err == nil && len(none) > 0 {
		err = fmt.Errorf("%d completions of no prompts", len(none))
	}
	return err
}

func generatorAlone(ctx context.Context, s *subject) error {
	if !s.sure() {
		return s.unsure()
	}
	ctx, cancel := s.within(ctx)
	defer cancel()
	together, err := s.complete(ctx, s.host, greedy(), asked())
	if err != nil {
		return err
	}
	for i, p := range asked() {
		alone, err := s.complete(ctx, s.host, greedy(), []*pluginv1.Prompt{p})
		if err != nil {
			return err
		}
		if len(alone) != 1 || len(together) <= i {
			return notChecked("there are too few completions, see generator-order")
		}
		if alone[0].Text != together[i].Text {
			return fmt.Errorf("the prompt %q alone has another completion than beside others", p.Text)
		}
	}
	return nil
}

func generatorMaxTokens(ctx context.Context, s *subject) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	counted, written := false, 0
	for _, most := range []uint32{1, 3, 24, 0} {
		all, err := s.complete(ctx, s.host, &pluginv1.Sampling{MaxTokens: most}, asked())
		if err != nil {
			return err
		}
		long := 0
		for _, c := range all {
			if long += len(c.Text); most == 0 {
				continue
			}
			n := max(c.CompletionTokens, uint64(len(c.Tokens)), uint64(len(c.Logprobs)))
			counted = counted || n > 0
			if n > uint64(most) {
				return fmt.Errorf("a completion has %d tokens at max_tokens = %d", n, most)
			}
		}
		if most == 0 && long == 0 && written > 0 {
			return fmt.Errorf("completions are empty at max_tokens = 0, which leaves their length to the stage")
		}
		written = long
	}
	if !counted {
		return notChecked("it does not say how many tokens its completions have")
	}
	return nil
}

// generatorStop takes a piece of each completion, and asks again with that as its end.
func generatorStop(ctx context.Context, s *subject) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	tried := 0
	for i := range asked() {
		whole, err := s.complete(ctx, s.host, greedy(), asked()[i:i+1])
		if err != nil {
			return err
		}
		end := ""
		if len(whole) == 1 {
			end = inside(whole[0].Text)
		}
		if end == "" {
			continue
		}
		c := whole[0]
		cut, err := s.complete(ctx, s.host, &pluginv1.Sampling{MaxTokens: 24, Stop: []string{"\x00never", end}}, asked()[i:i+1])
		if err != nil {
			return err
		}
		if len(cut) != 1 {
			return notChecked("there are too few completions, see generator-order")
		}
		tried++
		if strings.Contains(cut[0].Text, end) {
			return fmt.Errorf("the completion %q goes on behind the stop sequence %q", clip(cut[0].Text), end)
		}
		if want, _, _ := strings.Cut(c.Text, end); s.sure() && cut[0].Text != want {
			return fmt.Errorf("the stop sequence %q makes %q of the completion %q", end, clip(cut[0].Text), clip(c.Text))
		}
	}
	if tried == 0 {
		return notChecked("no completion has text")
	}
	return nil
}

// inside is a character in the middle of a text, or "". One that stands for what is no text is none: it was put there after
// the model had its say.
func inside(text string) string {
	runes := []rune(text)
	for _, r := range runes[len(runes)/2:] {
		if r != utf8.RuneError {
			return string(r)
		}
	}
	return ""
}

func generatorFinish(ctx context.Context, s *subject) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	for _, most := range []uint32{1, 24} {
		all, err := s.complete(ctx, s.host, &pluginv1.Sampling{MaxTokens: most}, asked())
		if err != nil {
			return err
		}
		for _, c := range all {
			if c.FinishReason != "stop" && c.FinishReason != "length" {
				return fmt.Errorf("finish_reason is %q", clip(c.FinishReason))
			}
		}
	}
	return nil
}

func generatorUnicode(ctx context.Context, s *subject) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	for _, text := range hard {
		if len(text) > 1000 {
			continue // a model has a longest prompt
		}
		all, err := s.complete(ctx, s.host, greedy(), []*pluginv1.Prompt{{Id: "u", Text: text}})
		if err != nil {
			return fmt.Errorf("the prompt %q: %w", text, err)
		}
		if len(all) != 1 { // one that is not UTF-8 cannot be read, and is an error
			return fmt.Errorf("the prompt %q has %d completions", text, len(all))
		}
	}
	return nil
}

// generatorStream reads along, and compares with what is not read along.
func generatorStream(ctx context.Context, s *subject) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	on, call, model, err := s.opening(ctx, s.host)
	if err != nil {
		return err
	}
	stream, err := on.Generator().Complete(ctx)
	if err != nil {
		return err
	}
	if err := sendAll(stream, &pluginv1.CompleteRequest{Call: call, Model: model, Sampling: greedy(), Prompts: asked(), Stream: true}); err != nil {
		return err
	}
	pieces, all := map[string]string{}, []*pluginv1.Completion(nil)
	err = each(stream.Recv, func(e *pluginv1.CompleteEvent) error {
		if p := e.GetPiece(); p != nil {
			pieces[p.PromptId] += p.Text
		}
		if c := e.GetCompletion(); c != nil {
			all = append(all, c)
			if !strings.HasPrefix(c.Text, pieces[c.PromptId]) {
				return fmt.Errorf("the completion %q does not begin with its pieces, %q", clip(c.Text), clip(pieces[c.PromptId]))
			}
		}
		return nil
	})
	if !slices.Contains(s.schema.Features, "stream") {
		var own *host.StageError
		if err == nil && len(pieces) > 0 {
			err = errors.New("it shows pieces without the feature stream, so that no host asks for them")
		}
		if errors.As(err, &own) {
			return nil
		}
		return err
	}
	if err != nil {
		return err
	}
	whole, err := s.complete(ctx, s.host, greedy(), asked())
	if err != nil {
		return err
	}
	if len(all) != len(asked()) || len(whole) != len(all) {
		return fmt.Errorf("%d completions of %d prompts in pieces, and %d whole", len(all), len(asked()), len(whole))
	}
	for i, c := range all {
		if s.sure() && c.Text != whole[i].Text {
			return fmt.Errorf("the prompt %q has another completion in pieces than whole", asked()[i].Text)
		}
	}
	return nil
}

// scored are what likelihoods are asked for.
func scored() []*pluginv1.LikelihoodItem {
	return []*pluginv1.LikelihoodItem{
		{PromptId: "a", Prompt: "fake 3:", Continuations: []string{"3", "4", "a longer one"}, End: true},
		{PromptId: "b", Prompt: "", Continuations: []string{"The sum of 2 and 3 is 5."}},
		{PromptId: "c", Prompt: "What is the sum of 2 and 3?", Continuations: []string{" 5", "\u4f60\u597d \U0001F9EE", "e\u0301"}, End: true},
	}
}

func (s *subject) likelihoods(ctx context.Context, h *host.Host, parts ...[]*pluginv1.LikelihoodItem) (all []*pluginv1.LikelihoodEvent, err error) {
	on, call, model, err := s.opening(ctx, h)
	if err != nil {
		return nil, err
	}
	stream, err := on.Generator().Score(ctx)
	if err != nil {
		return nil, err
	}
	var requests []*pluginv1.LikelihoodRequest
	for _, items := range parts {
		requests = append(requests, &pluginv1.LikelihoodRequest{Items: items})
	}
	requests[0].Call, requests[0].Model = call, model
	if err := sendAll(stream, requests...); err != nil {
		return nil, err
	}
	err = each(stream.Recv, func(e *pluginv1.LikelihoodEvent) error { all = append(all, e); return nil })
	return all, err
}

func generatorScore(ctx context.Context, s *subject) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	all, err := s.likelihoods(ctx, s.host, scored())
	if !slices.Contains(s.schema.Features, "score") {
		var own *host.StageError
		if errors.As(err, &own) {
			return nil
		}
		if err == nil {
			err = errors.New("it gives likelihoods without the feature score, so that no host asks for them")
		}
		return err
	}
	if host.Unsupported(err) {
		return notChecked("this model cannot be scored: %s", firstLine(err.Error()))
	}
	if err != nil {
		return err
	}
	items := scored()
	if len(all) != len(items) {
		return fmt.Errorf("%d answers to %d items", len(all), len(items))
	}
	for i, e := range all {
		it := items[i]
		if e.PromptId != it.PromptId || len(e.Likelihoods) != len(it.Continuations) {
			return fmt.Errorf("answer %d is for %q, with %d likelihoods; want %q with %d", i+1, e.PromptId, len(e.Likelihoods), it.PromptId, len(it.Continuations))
		}
		for k, l := range e.Likelihoods {
			if wrong := contract.Likelihood(l); wrong != "" {
				return fmt.Errorf("%q has %s", it.Continuations[k], wrong)
			}
			if l.Tokens == 0 || l.Bytes < uint64(len(it.Continuations[k])) {
				return fmt.Errorf("%q has %d bytes, and its likelihood is that of %d bytes in %d tokens", it.Continuations[k], len(it.Continuations[k]), l.Bytes, l.Tokens)
			}
		}
	}
	return nil
}
