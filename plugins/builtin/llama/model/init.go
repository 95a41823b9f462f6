package model

import (
	"math"
	"math/rand/v2"
)

// Sizes of fresh parameters, found on the default domain (three layers, 600 examples, three windows): larger residual
// branches generalise worse, by 0.1 nat a token at 0.25 and by 0.4 at 1; much smaller ones bring nothing.
const (
	// embedStd is the standard deviation of a fresh embedding. The residual stream starts at this size, and with a tied
	// output the logits start at √Dim times it, which keeps the first loss close to ln Vocab.
	embedStd = 0.05
	// residualGain is the standard deviation of the sum of all residual branches at the start: twice the embedding's.
	residualGain = 2 * embedStd
)

// Init sets fresh parameters from a seed: the same seed and shape give the same numbers on every machine.
//
// Gains are 1. Matrices are normal with standard deviation 1/√in, so that a normalised input gives outputs of unit
// size. The two matrices that write to the residual stream (O and Down) are scaled by residualGain/√(2·Layers) on top:
// the square root keeps the sum over all branches independent of depth (Radford et al. 2019, section 2.3), and the gain
// keeps it in proportion to the embedding, which would otherwise drown in the branches' noise. A model with an embedding
// scale gets that proportion from the scale; plain Llama has none.
func (w *Weights) Init(seed uint64) {
	r := rand.New(rand.NewPCG(seed, 0x6a09e667f3bcc908)) // √2 in fixed point
	normal := func(x []float32, std float64) {
		for i := range x {
			x[i] = float32(r.NormFloat64() * std)
		}
	}
	ones := func(x []float32) {
		for i := range x {
			x[i] = 1
		}
	}
	in := func(n int) float64 { return 1 / math.Sqrt(float64(n)) }
	residual := residualGain / math.Sqrt(2*float64(w.Config.Layers))
	normal(w.Embed, embedStd)
	for _, l := range w.Layers {
		ones(l.AttnNorm)
		normal(l.QKV, in(w.Dim))
		normal(l.O, in(w.AttnDim())*residual)
		ones(l.FFNNorm)
		normal(l.GateUp, in(w.Dim))
		normal(l.Down, in(w.FFN)*residual)
	}
	ones(w.Norm)
	if w.Output != nil {
		normal(w.Output, embedStd)
	}
}
