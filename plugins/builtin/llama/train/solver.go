package train

import (
	"fmt"
	"math"

	G "gorgonia.org/gorgonia"

	"jupiter/plugins/builtin/llama/kernel"
	"jupiter/plugins/builtin/llama/model"
)

// adamEps is AdamW's ε, in the units of a gradient.
const adamEps = 1e-8

// adamW is gorgonia's Solver with decoupled weight decay (Loshchilov and Hutter 2019), one fused sweep a parameter.
// Vectors, which are the norms' gains, are not decayed; matrices and the embedding are.
type adamW struct {
	pool         *kernel.Pool
	beta1, beta2 float64
	decay        float64
	m, v         []float32 // moments of all parameters, as Weights.Flat
	updates      uint64    // made so far
	lr           float64   // of the next update
	clip         float64   // factor for the gradients of the next update

	rates map[string]float64 // multiplier of the learning rate, by parameter; 1 where it is not named
}

// updateGrain is the number of parameters that a worker updates at a time.
const updateGrain = 1 << 13

// Step makes one update.
func (s *adamW) Step(params []G.ValueGrad) error {
	s.updates++
	t := float64(s.updates)
	o := kernel.AdamW{
		Clip: float32(s.clip), Beta1: float32(s.beta1), Beta2: float32(s.beta2),
		Fix1: float32(1 / (1 - math.Pow(s.beta1, t))), Fix2: float32(1 / (1 - math.Pow(s.beta2, t))),
		Eps: adamEps,
	}
	for _, vg := range params {
		p, ok := vg.(param)
		if !ok {
			return fmt.Errorf("a parameter of type %T", vg)
		}
		w, err := numbers(p.Value())
		if err != nil {
			return err
		}
		gv, err := p.Grad()
		if err != nil {
			return err
		}
		g, err := numbers(gv)
		if err != nil {
			return err
		}
		k := s.rates[p.Name]
		if k == 0 {
			k = 1
		}
		o.LR, o.Decay = float32(s.lr*k), 0
		if len(p.Shape) > 1 {
			o.Decay = float32(s.decay / k) // LR·Decay is what shrinks a parameter: the same for all
		}
		m, v := s.m[p.Offset:][:len(w)], s.v[p.Offset:][:len(w)]
		s.pool.For(len(w), updateGrain, func(_, lo, hi int) {
			o.Update(w[lo:hi], m[lo:hi], v[lo:hi], g[lo:hi])
		})
	}
	return nil
}

// rates are the learning rates' multipliers that go with model.EmbedScale. An output of its own needs none: the norm
// before it starts at 1.
func rates(w *model.Weights) map[string]float64 {
	k := model.EmbedScale(w.Dim)
	r := map[string]float64{"embed": k}
	if w.Output == nil {
		r["norm"] = 1 / k
	}
	return r
}
