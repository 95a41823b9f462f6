package infer

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"jupiter/plugins/builtin/llama/bpe"
	"jupiter/plugins/builtin/llama/model"
)

// quick is the generator of the default domain: 3 layers of width 64, about 155,000 parameters.
func quick(b *testing.B) *Model {
	tok := bpe.Train(slices.Values(append(texts, texts...)), bpe.Options{VocabSize: 320})
	m, _ := build(b, tok, model.Config{
		Vocab: tok.Size(), Dim: 64, Layers: 3, Heads: 4, KVHeads: 4, HeadDim: 16, FFN: 176, Context: 256, RopeTheta: 10000, NormEps: 1e-5, Tied: true,
	})
	return m
}

// BenchmarkGenerate samples texts of at most 31 tokens from BOS.
func BenchmarkGenerate(b *testing.B) {
	m := quick(b)
	for _, o := range []Options{{Threads: 1, Batch: 32}, {Threads: 1, Batch: 64}, {Threads: 1, Batch: 128}, {Threads: 2, Batch: 64}, {Threads: 2, Batch: 128}, {Threads: 2, Batch: 256}} {
		b.Run(fmt.Sprintf("threads=%d/batch=%d", o.Threads, o.Batch), func(b *testing.B) {
			tokens := 0
			for b.Loop() {
				err := m.Generate(context.Background(), 1024, func(i int) Request { return Request{[]int32{m.Tokenizer.BOS()}, uint64(i)} },
					Sampling{Temperature: 1, MaxTokens: 31}, o, func(r Result) error { tokens += len(r.Tokens); return nil })
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(tokens)/b.Elapsed().Seconds(), "tokens/s")
		})
	}
}

// BenchmarkScore scores four texts of about 31 tokens after each prompt.
func BenchmarkScore(b *testing.B) {
	m := quick(b)
	prompt := m.Tokenizer.Sequence("7ft5in+3ft9in:")
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprintf("threads=%d", threads), func(b *testing.B) {
			tokens := 0
			item := Item{Prompt: prompt, Continuations: []string{"5+9=14;14-12=2;7+3+1=11;11ft2in", "5+9=14;14-12=2;7+3=10;10ft2in", "5+9=15;15-12=3;11ft3in", "5+9=14;11ft14in"}, End: true}
			for b.Loop() {
				err := m.Score(context.Background(), 256, func(int) Item { return item }, Options{Threads: threads, Batch: 1}, func(_ int, l []Likelihood) error {
					for _, x := range l {
						tokens += x.Tokens
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(tokens)/b.Elapsed().Seconds(), "tokens/s")
		})
	}
}
