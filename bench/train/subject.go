package main

import (
	"strconv"

	"jupiter/plugins/builtin/llama/model"
	"jupiter/plugins/builtin/llama/train"
)

// subject is a model and the batch that it is trained with.
type subject struct {
	name                           string
	layers, dim, heads, ffn, vocab int
	length, batch                  int
}

// A and B are of the size that an embedded student and an embedded base may have. Q is the quickstart's student: its
// vocabulary is what the tokenizer makes of the domain's real examples, and its sequences are about as long as those.
var subjects = []subject{
	{name: "A", layers: 4, dim: 128, heads: 4, ffn: 352, vocab: 512, length: 128, batch: 8},
	{name: "Q", layers: 2, dim: 64, heads: 4, ffn: 176, vocab: 302, length: 32, batch: 32},
	{name: "B", layers: 4, dim: 256, heads: 8, ffn: 704, vocab: 4096, length: 256, batch: 8},
}

func (s subject) tokens() int { return s.length * s.batch }

// args are the subject as both workers read it.
func (s subject) args() []string {
	var all []string
	for _, n := range []int{s.layers, s.dim, s.heads, s.ffn, s.vocab, s.length, s.batch} {
		all = append(all, strconv.Itoa(n))
	}
	return all
}

func (s subject) config() model.Config {
	return model.Config{
		Vocab: s.vocab, Dim: s.dim, Layers: s.layers, Heads: s.heads, KVHeads: s.heads, HeadDim: s.dim / s.heads, FFN: s.ffn,
		Context: s.length, RopeTheta: 10000, NormEps: 1e-5, Tied: true,
	}
}

// sequences are as random as the peer's.
func (s subject) sequences(draw func(n int) int) []train.Sequence {
	all := make([]train.Sequence, s.batch)
	for i := range all {
		all[i] = train.Sequence{Tokens: make([]int32, s.length+1), Weights: make([]float32, s.length+1)}
		for j := range all[i].Tokens {
			all[i].Tokens[j], all[i].Weights[j] = int32(draw(s.vocab)), 1
		}
	}
	return all
}
