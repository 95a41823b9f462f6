package llama

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"jupiter/plugins/builtin/llama/bpe"
	"jupiter/plugins/builtin/llama/infer"
	"jupiter/plugins/sdk"
)

func generatorStage(g *generator) sdk.Stage {
	return sdk.Generator("llama", sdk.Options{
		Description:   "Runs a Llama model from a GGUF file in this process, on the processor.",
		Revision:      1,
		Deterministic: true,
		Resumable:     true,
		Concurrent:    true,
		Consumes:      []string{sdk.GGUFMediaType, hfMediaType},
		Produces:      []string{sdk.RecordsMediaType},
		Features:      []string{sdk.ScoreFeature, sdk.ChatFeature},
	}, g)
}

type generator struct {
	models models
	now    func() time.Time // for rates and the pace of reports only
}

// tokens gives the tokens that a model is given for a prompt: the text after BOS, to be gone on with; or, with a system
// message, as a chat, or where prompts are to be put as chats, turns that wait for their answer. From an empty prompt a text begins.
func (c generatorConfig) tokens(t *bpe.Tokenizer, p *sdk.Prompt) ([]int32, error) {
	var turns []bpe.Message
	for _, m := range p.GetMessages() {
		turns = append(turns, bpe.Message{Role: m.GetRole(), Content: m.GetContent()})
	}
	switch {
	case len(turns) == 0 && p.GetSystem() == "" && !c.chats(p.GetText()):
		return t.Sequence(p.GetText()), nil
	case len(turns) == 0 && p.GetSystem() == "":
		turns = []bpe.Message{{Role: "user", Content: p.GetText()}}
	case len(turns) == 0:
		turns = []bpe.Message{{Role: "system", Content: p.GetSystem()}, {Role: "user", Content: p.GetText()}}
	}
	if !t.HasChat() {
		return nil, sdk.Invalid(fmt.Errorf("prompt %q is a chat, has a system message, or is put as a chat (prompts = \"chat\"), but the model's vocabulary has no tokens for turns of a chat", p.GetId()))
	}
	ids, _ := t.Chat(turns, true)
	return ids, nil
}

// chats says whether a prompt that stands alone is put as a chat.
func (c generatorConfig) chats(prompt string) bool {
	return or(c.Prompts, promptsText) == promptsChat && prompt != ""
}

// text is what crosses the wire, which takes only valid UTF-8: a character that a model left unfinished is U+FFFD.
func text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// Complete answers prompts. A completion depends on the call's seed, the prompt and its id; without an id, its place.
func (g *generator) Complete(ctx context.Context, c *sdk.Call, cfg generatorConfig, model *sdk.Artifact, s *sdk.Sampling, prompts []*sdk.Prompt, emit func(*sdk.Completion) error) error {
	m, err := g.models.get(model)
	if err != nil {
		return err
	}
	sampling, err := cfg.sampling(s)
	if err != nil {
		return err
	}
	rs, err := requests(c, cfg, m.Tokenizer, prompts)
	if err != nil {
		return err
	}
	run := g.start(c, uint64(len(rs)), "completions")
	o := cfg.options()
	ctx, cancel := untilStopped(ctx, c)
	defer cancel()
	o.Step = run.step(cancel)
	err = m.Generate(ctx, len(rs), func(i int) infer.Request {
		c.Spend(uint64(len(rs[i].Prompt)), 0)
		return rs[i]
	}, sampling, o, func(r infer.Result) error {
		run.end(1)
		return emit(completion(prompts[r.Index], len(rs[r.Index].Prompt), r))
	})
	return unlessStopped(err, c)
}

// requests are the prompts of a call with their seeds.
func requests(c *sdk.Call, cfg generatorConfig, t *bpe.Tokenizer, prompts []*sdk.Prompt) (rs []infer.Request, err error) {
	rs = make([]infer.Request, len(prompts))
	for i, p := range prompts {
		place := uint64(i)
		if p.GetId() != "" {
			place = 0
		}
		rs[i].Seed = sdk.SampleSeed(c.Seed, "completion of "+p.GetId(), place)
		if rs[i].Prompt, err = cfg.tokens(t, p); err != nil {
			return nil, err
		}
	}
	return rs, nil
}

// completion is a result as the answer to a prompt of so many tokens.
func completion(p *sdk.Prompt, tokens int, r infer.Result) *sdk.Completion {
	done := &sdk.Completion{
		PromptId: p.GetId(), Text: text(r.Text), FinishReason: string(r.Finish), Logprobs: r.Logprobs,
		PromptTokens: uint64(tokens), CompletionTokens: uint64(len(r.Tokens)),
	}
	for _, id := range r.Tokens {
		done.Tokens = append(done.Tokens, uint32(id))
	}
	return done
}

// Score gives log-likelihoods. An item that does not fit the model's context is an error: a benchmark that leaves out
// items without a word would compare models on different questions. An answer in a chat ends with its turn.
func (g *generator) Score(ctx context.Context, c *sdk.Call, cfg generatorConfig, model *sdk.Artifact, items []*sdk.LikelihoodItem, emit func(*sdk.LikelihoodEvent) error) error {
	return g.score(ctx, c, cfg, model, items, func(t *bpe.Tokenizer, it *sdk.LikelihoodItem) (infer.Item, error) {
		ids, err := cfg.tokens(t, &sdk.Prompt{Id: it.GetPromptId(), Text: it.GetPrompt()})
		return infer.Item{Prompt: ids, Turn: cfg.chats(it.GetPrompt())}, err
	}, emit)
}

// score is Score with a way to read prompts.
func (g *generator) score(ctx context.Context, c *sdk.Call, cfg generatorConfig, model *sdk.Artifact, items []*sdk.LikelihoodItem, read func(*bpe.Tokenizer, *sdk.LikelihoodItem) (infer.Item, error), emit func(*sdk.LikelihoodEvent) error) error {
	m, err := g.models.get(model)
	if err != nil {
		return err
	}
	ctx, cancel := untilStopped(ctx, c)
	defer cancel()
	asked := make([]infer.Item, len(items))
	for i, it := range items {
		if asked[i], err = read(m.Tokenizer, it); err != nil {
			return err
		}
		asked[i].Continuations, asked[i].End = it.GetContinuations(), it.GetEnd()
	}
	err = m.Score(ctx, len(items), func(i int) infer.Item { return asked[i] }, cfg.options(), func(i int, ls []infer.Likelihood) error {
		it := items[i]
		if ls == nil {
			return fmt.Errorf("item %q is longer than the model's context of %d tokens: shorten the question and its answers, or raise max_seq_length of the trainer", it.GetPromptId(), m.Config.Context)
		}
		e := &sdk.LikelihoodEvent{PromptId: it.GetPromptId()}
		for _, l := range ls {
			e.Likelihoods = append(e.Likelihoods, &sdk.Likelihood{SumLogprob: l.LogProb, Tokens: uint64(l.Tokens), Bytes: uint64(l.Bytes)})
		}
		return emit(e)
	})
	return unlessStopped(err, c)
}

// untilStopped gives a context that ends when the host asks the call to stop, too.
func untilStopped(ctx context.Context, c *sdk.Call) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() {
		select {
		case <-c.Stopped:
			cancel()
		case <-ctx.Done():
		}
	})
	return ctx, func() {
		cancel()
		watch.Wait()
	}
}

// unlessStopped is nil for a call that ended early because it was asked to: what it emitted stands.
func unlessStopped(err error, c *sdk.Call) error {
	if c.IsStopped() && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
