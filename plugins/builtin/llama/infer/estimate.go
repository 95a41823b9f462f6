package infer

import "jupiter/plugins/builtin/llama/model"

// Cost is what running a model takes.
type Cost struct {
	FlopPerToken float64 // read or written
	MemoryBytes  float64 // at most: the parameters, twice while they are laid out, or with the keys and values of the texts in work
}

// Estimate forecasts texts of a length in tokens, so many in work at a time. Matrix products take 2 operations a
// parameter and token, and attention 4 a layer, position seen and width (Kaplan et al. 2020, "Scaling Laws for Neural
// Language Models", table 1: 2N + 2·n_layer·n_ctx·d_attn with the mean of n_ctx/2 positions twice, for scores and sums).
func Estimate(c model.Config, length float64, texts int) Cost {
	norms := float64(c.Layers*2*c.Dim + c.Dim)
	matrices := float64(c.Params()) - norms
	if !c.Tied {
		matrices -= float64(c.Vocab * c.Dim) // the embedding is looked up, not multiplied
	}
	params := float64(c.Params())
	run := params
	if c.Tied {
		run += float64(c.Vocab * c.Dim) // the embedding beside the output that it is
	}
	keep := 2 * float64(c.Layers*c.KVDim()) * min(length, float64(c.Context))
	return Cost{
		FlopPerToken: 2*matrices + 4*float64(c.Layers)*length/2*float64(c.AttnDim()),
		MemoryBytes:  4 * max(2*params, run+keep*float64(texts)),
	}
}
