package model

import (
	"math"
	"math/rand/v2"
)

// embedStd is the standard deviation of a fresh embedding before EmbedScale. With a tied output the logits start at √Dim
// times it, which keeps the first loss close to ln Vocab.
const embedStd = 0.05

// EmbedScale is how much larger the embedding is than a tied output wants it: √Dim/2. The residual stream starts at
// embedStd·EmbedScale, so that the embedding does not drown in the first branch's noise, and the gain of the last norm
// starts at 1/EmbedScale, so that the logits stay small. A trainer multiplies the embedding's learning rate by it and
// divides that gain's: this is a model whose input is EmbedScale times its embedding (as Vaswani et al. 2017, section
// 3.4, have √Dim), written as a plain Llama.
//
// Held-out nats a token of the default domain's solutions, a student's first window, four seeds: 0.30 to 0.38 so, and
// 0.33 to 0.53 with one learning rate, embeddings of 0.05 and residual branches scaled to match.
func EmbedScale(dim int) float64 { return math.Sqrt(float64(dim)) / 2 }

// Init sets fresh parameters from a seed: the same seed and shape give the same numbers on every machine.
//
// Gains are 1, but for the last norm's, see EmbedScale. Matrices are normal with standard deviation 1/√in, so that a
// normalised input gives outputs of unit size. The two matrices that write to the residual stream (O and Down) are scaled
// by 1/√(2·Layers) on top, which keeps the sum over all branches independent of depth (Radford et al. 2019, section 2.3).
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
	residual := 1 / math.Sqrt(2*float64(w.Config.Layers))
	normal(w.Embed, embedStd*EmbedScale(w.Dim))
	for _, l := range w.Layers {
		ones(l.AttnNorm)
		normal(l.QKV, in(w.Dim))
		normal(l.O, in(w.AttnDim())*residual)
		ones(l.FFNNorm)
		normal(l.GateUp, in(w.Dim))
		normal(l.Down, in(w.FFN)*residual)
	}
	ones(w.Norm)
	if w.Output == nil {
		for i := range w.Norm {
			w.Norm[i] = float32(1 / EmbedScale(w.Dim))
		}
	}
	if w.Output != nil {
		normal(w.Output, embedStd)
	}
}
