package train

import (
	"fmt"
	"math"

	G "gorgonia.org/gorgonia"

	"jupiter/plugins/builtin/llama/kernel"
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
		Eps: adamEps, LR: float32(s.lr),
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
		o.Decay = 0
		if len(p.Shape) > 1 {
			o.Decay = float32(s.decay)
		}
		m, v := s.m[p.Offset:][:len(w)], s.v[p.Offset:][:len(w)]
		s.pool.For(len(w), updateGrain, func(_, lo, hi int) {
			o.Update(w[lo:hi], m[lo:hi], v[lo:hi], g[lo:hi])
		})
	}
	return nil
}
