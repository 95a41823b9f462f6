package infer

import (
	"jupiter/plugins/builtin/llama/kernel"
)

// A span is the part of a sequence that goes through one pass: tokens at the positions that follow its cache.
type span struct {
	cache  *cache
	tokens []int32
}

// A runner is one worker's working memory for passes of its model.
type runner struct {
	*Model
	scratch kernel.Scratch
	pool    *kernel.Pool // spreads the products over threads; nil: on this one
	rows    int          // room in the slices below
	x       []float32    // [rows, Dim] the residual stream
	h       []float32    // [rows, Dim] normalised
	qkv     []float32    // [rows, QKVRows]
	mix     []float32    // [rows, AttnDim] attention's result
	gateUp  []float32    // [rows, 2·FFN]
	act     []float32    // [rows, FFN]
	scores  []float32    // one head's: [rows of a span, positions]
	out     []float32    // logits, [rows asked for, Vocab]
}

// maxRows bounds the rows of a pass, for memory. Beyond some hundred rows products do not get faster.
const maxRows = 512

func (r *runner) grow(rows int) {
	if rows <= r.rows {
		return
	}
	c := r.Config
	r.rows = rows
	r.x, r.h = make([]float32, rows*c.Dim), make([]float32, rows*c.Dim)
	r.qkv = make([]float32, rows*c.QKVRows())
	r.mix = make([]float32, rows*c.AttnDim())
	r.gateUp, r.act = make([]float32, rows*2*c.FFN), make([]float32, rows*c.FFN)
}

// pass runs the spans through all layers, one row a token, and adds their positions to their caches. r.x then holds the
// residual stream of each row, in order. Spans have different caches, with room for their tokens, and positions below
// Context.
func (r *runner) pass(spans []span) {
	n := 0
	for _, s := range spans {
		n += len(s.tokens)
	}
	r.grow(n)
	c := r.Config
	d, row := c.Dim, 0
	for _, s := range spans {
		for _, t := range s.tokens {
			copy(r.x[row*d:][:d], r.embed[int(t)*d:])
			row++
		}
	}
	for i := range r.layers {
		l := &r.layers[i]
		r.normalise(n, l.attnNorm)
		r.multiply(n, r.h, l.qkv, r.qkv, false)
		r.attend(i, spans)
		r.multiply(n, r.mix, l.o, r.x, true)
		r.normalise(n, l.ffnNorm)
		r.multiply(n, r.h, l.gateUp, r.gateUp, false)
		for row := range n {
			gu := r.gateUp[row*2*c.FFN:][:2*c.FFN]
			kernel.SwiGLU(r.act[row*c.FFN:][:c.FFN], gu[:c.FFN], gu[c.FFN:])
		}
		r.multiply(n, r.act, l.down, r.x, true)
	}
	for _, s := range spans {
		s.cache.len += len(s.tokens)
	}
}

// multiply sets y to x·w for n rows, or adds to it.
func (r *runner) multiply(n int, x []float32, w *kernel.Packed, y []float32, add bool) {
	left := kernel.Mat{Data: x, LD: w.Rows()}
	if r.pool != nil {
		r.pool.GemmPacked(n, left, w, y, w.Cols(), add)
		return
	}
	w.Gemm(&r.scratch, n, left, y, w.Cols(), add)
}

func (r *runner) normalise(n int, gain []float32) {
	d := r.Config.Dim
	for row := range n {
		kernel.RMSNorm(r.h[row*d:][:d], r.x[row*d:][:d], gain, r.Config.NormEps)
	}
}

// logits gives the logits after the rows of the last pass named in rows, [len(rows), Vocab], valid until the next call.
func (r *runner) logits(rows []int) []float32 {
	d, v := r.Config.Dim, r.Config.Vocab
	for i, row := range rows {
		kernel.RMSNorm(r.h[i*d:][:d], r.x[row*d:][:d], r.norm, r.Config.NormEps)
	}
	if len(r.out) < len(rows)*v {
		r.out = make([]float32, len(rows)*v)
	}
	r.multiply(len(rows), r.h, r.output, r.out, false)
	return r.out[:len(rows)*v]
}
