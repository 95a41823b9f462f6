package infer

import (
	"math"

	"jupiter/plugins/builtin/llama/kernel"
)

// attend stores the keys and values of a layer's rows and sets r.mix to their causal attention over their own sequence.
//
// A span of several rows multiplies them all with all positions and then blanks what lies after each row. That takes
// the same bits as row by row: a score is its own chain of multiply-adds, a softmax covers the row's own positions only,
// and a weight of zero adds nothing to the sum of values.
func (r *runner) attend(layer int, spans []span) {
	c := r.Config
	width, q, kv := c.QKVRows(), c.AttnDim(), c.KVDim()
	half := c.HeadDim / 2
	row := 0
	for _, s := range spans {
		for i := range s.tokens {
			pos := s.cache.len + i
			x := r.qkv[(row+i)*width:][:width]
			cos, sin := r.rope.Cos[pos*half:][:half], r.rope.Sin[pos*half:][:half]
			kernel.Rotate(x[:q+kv], x[:q+kv], cos, sin)
			s.cache.put(layer, pos, x[q:q+kv], x[q+kv:])
		}
		r.attendSpan(layer, row, s)
		row += len(s.tokens)
	}
}

func (r *runner) attendSpan(layer, first int, s span) {
	c := r.Config
	width, dim, hd := c.QKVRows(), c.AttnDim(), c.HeadDim
	rows, all := len(s.tokens), s.cache.len+len(s.tokens)
	if len(r.scores) < rows*all {
		r.scores = make([]float32, rows*all)
	}
	scale := float32(1 / math.Sqrt(float64(hd)))
	for head := range c.Heads {
		keys, values := s.cache.keys(layer, head/(c.Heads/c.KVHeads)), s.cache.values(layer, head/(c.Heads/c.KVHeads))
		query := kernel.Mat{Data: r.qkv[first*width+head*hd:], LD: width}
		kernel.Gemm(&r.scratch, rows, all, hd, query, kernel.Mat{Data: keys, LD: s.cache.room}, r.scores, all, false)
		for i := range rows {
			line := r.scores[i*all:][:all]
			seen := s.cache.len + i + 1
			kernel.Softmax(line[:seen], scale)
			clear(line[seen:])
		}
		kernel.Gemm(&r.scratch, rows, hd, all, kernel.Mat{Data: r.scores, LD: all}, kernel.Mat{Data: values, LD: hd},
			r.mix[first*dim+head*hd:], dim, false)
	}
}
