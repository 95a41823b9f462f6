package llama

import (
	"math"
	"slices"
	"testing"

	"jupiter/plugins/builtin/llama/bpe"
	"jupiter/plugins/builtin/llama/infer"
	"jupiter/plugins/sdk"
)

// A prompt that is learned as a chat is the tokens that the generator puts where it asks so, with the answer and its end.
func TestPromptsAsChats(t *testing.T) {
	t.Parallel()
	tok := bpe.Train(func(yield func(string) bool) { yield("ab") }, bpe.Options{VocabSize: 261})
	seq, _, err := encode(tok, asChat(&sdk.Record{Prompt: "ab", Text: "c"}), 0.5, 100)
	if err != nil {
		t.Fatal(err)
	}
	chats := generatorConfig{Prompts: new(promptsChat)}
	asked, err := chats.tokens(tok, &sdk.Prompt{Text: "ab"})
	if err != nil {
		t.Fatal(err)
	}
	if want := append(slices.Clone(asked), append(tok.Encode("c"), tok.EndTurn())...); !slices.Equal(seq.Tokens[:len(want)], want) {
		t.Errorf("%v is learned, and %v would be asked and answered", seq.Tokens, want)
	}
	for i, w := range seq.Weights {
		if answer := i == len(asked) || i == len(asked)+1 || i == len(seq.Weights)-1; (w == 1) != answer {
			t.Errorf("token %d weighs %g", i, w)
		}
	}
	text := &sdk.Record{Text: "c"} // nobody asks
	if got := asChat(text); got != text {
		t.Errorf("%v", got)
	}
	if got, err := chats.tokens(tok, &sdk.Prompt{}); err != nil || !slices.Equal(got, tok.Sequence("")) {
		t.Errorf("an empty prompt is %v, %v", got, err)
	}
	if got, err := (generatorConfig{Prompts: new(promptsText)}).tokens(tok, &sdk.Prompt{Text: "ab"}); err != nil || !slices.Equal(got, tok.Sequence("ab")) {
		t.Errorf("a prompt as text is %v, %v", got, err)
	}
}

// TestScoreInChats: likelihoods of answers to a prompt that is put as a chat are those after the chat as its template writes it, up
// to the end of the turn.
func TestScoreInChats(t *testing.T) {
	t.Parallel()
	s := NewScorer()
	m := shipped(t, 3)
	chats := defaults()
	chats.Prompts = new(promptsChat)
	one := func(cfg generatorConfig, prompt string, end bool) (out *sdk.Likelihood) {
		t.Helper()
		err := s.g.Score(t.Context(), &sdk.Call{}, cfg, m, []*sdk.LikelihoodItem{{PromptId: "x", Prompt: prompt, Continuations: []string{"63in"}, End: end}}, func(e *sdk.LikelihoodEvent) error {
			out = e.Likelihoods[0]
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	rendered := "<|begin_of_text|><|im_start|>user\n5ft3in<|im_end|>\n<|im_start|>assistant\n"
	var want *sdk.Likelihood
	err := s.ScoreRendered(t.Context(), &sdk.Call{}, m, []*sdk.LikelihoodItem{{PromptId: "x", Prompt: rendered, Continuations: []string{"63in"}}}, func(e *sdk.LikelihoodEvent) error {
		want = e.Likelihoods[0]
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	open := one(chats, "5ft3in", false)
	if open.SumLogprob != want.SumLogprob || open.Tokens != want.Tokens {
		t.Errorf("%v, and after the chat as it is written %v", open, want)
	}
	model, err := s.g.models.get(m)
	if err != nil {
		t.Fatal(err)
	}
	ended := 0.0 // of the turn, by the engine's own account of what it would write after the answer
	asked, err := chats.tokens(model.Tokenizer, &sdk.Prompt{Text: "5ft3in"})
	if err != nil {
		t.Fatal(err)
	}
	item := infer.Item{Prompt: append(asked, model.Tokenizer.Encode("63in")...), Continuations: []string{""}, End: true, Turn: true}
	err = model.Score(t.Context(), 1, func(int) infer.Item { return item }, chats.options(), func(_ int, ls []infer.Likelihood) error {
		ended = ls[0].LogProb
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := one(chats, "5ft3in", true); got.Tokens != open.Tokens+1 || math.Abs(got.SumLogprob-open.SumLogprob-ended) > 1e-4 {
		t.Errorf("with its end %v, without %v, the end alone %g", got, open, ended)
	}
	if a, b := one(chats, "", true), one(defaults(), "", true); a.SumLogprob != b.SumLogprob {
		t.Errorf("a text that answers nothing: %v and %v", a, b)
	}
	if a, b := one(chats, "5ft3in", true), one(defaults(), "5ft3in", true); a.SumLogprob == b.SumLogprob {
		t.Errorf("a chat is a text: %v", a)
	}
}
