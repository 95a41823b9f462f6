package train

import (
	"math"

	G "gorgonia.org/gorgonia"

	"jupiter/plugins/builtin/llama/kernel"
)

// queryBlock is the number of queries whose scores are in memory at a time. Probabilities are not kept for the backward
// pass: it makes them again from the scores' logarithmic sums, so memory grows with the length, not with its square.
const queryBlock = 64

// attention is the causal softmax attention of every sequence on itself; its input is queries, keys and values, turned.
func (m *builder) attention(qkv *G.Node) (*G.Node, error) {
	a := &attention{
		builder: m, scale: float32(1 / math.Sqrt(float64(m.config.HeadDim))),
		out: m.kept(m.config.AttnDim()), logSum: make([]float32, m.capacity*m.config.Heads),
		rooms: make([]room, m.pool.Threads()),
	}
	return m.add(spec{
		name: "attention", in: G.Nodes{qkv}, data: a.out, shape: m.rows(m.config.AttnDim()),
		run: func(in [][]float32) error {
			heads := m.config.Heads
			m.pool.For((len(m.batch.starts)-1)*heads, 1, func(worker, lo, hi int) {
				for i := lo; i < hi; i++ {
					a.forward(worker, i/heads, i%heads, in[0])
				}
			})
			return nil
		},
		wrt: []bool{true},
		diff: func(in G.Nodes, out, grad *G.Node) (G.Nodes, error) {
			dqkv := m.passing("qkv", m.config.QKVRows())
			n, err := m.add(spec{
				name: "attention back", in: G.Nodes{in[0], out, grad}, data: dqkv, shape: m.rows(m.config.QKVRows()),
				run: func(in [][]float32) error {
					groups := m.config.KVHeads
					m.pool.For((len(m.batch.starts)-1)*groups, 1, func(worker, lo, hi int) {
						for i := lo; i < hi; i++ {
							a.backward(worker, i/groups, i%groups, in[0], in[2], dqkv)
						}
					})
					return nil
				},
			})
			return G.Nodes{n}, err
		},
	})
}

// attention is what one layer's attention remembers between its two passes.
type attention struct {
	*builder
	scale  float32
	out    []float32 // [rows, AttnDim]
	logSum []float32 // [rows, Heads]: ln Σ exp of a query's scaled scores
	rooms  []room    // by worker
}

// room is a worker's memory for one block of queries: [queries, keys].
type room struct{ p, dp []float32 }

func (r *room) grow(n int) (p, dp []float32) {
	if len(r.p) < n {
		r.p, r.dp = make([]float32, n), make([]float32, n)
	}
	return r.p[:n], r.dp[:n]
}

// head is one head of some rows: element e of row i lies at i·ld + e.
func head(rows []float32, row, ld, column int) kernel.Mat {
	return kernel.Mat{Data: rows[row*ld+column:], LD: ld}
}

func transposed(m kernel.Mat) kernel.Mat {
	m.T = true
	return m
}

// forward computes one head of one sequence.
func (a *attention) forward(worker, sequence, h int, qkv []float32) {
	c := a.config
	first, length := a.batch.sequence(sequence)
	ld, hd, width := c.QKVRows(), c.HeadDim, c.AttnDim()
	group := h / (c.Heads / c.KVHeads)
	k := head(qkv, first, ld, width+group*hd)
	v := head(qkv, first, ld, width+c.KVDim()+group*hd)
	scratch := a.pool.Scratch(worker)
	for q0 := 0; q0 < length; q0 += queryBlock {
		n := min(length, q0+queryBlock) // keys that the block sees
		rows := n - q0
		p, _ := a.rooms[worker].grow(queryBlock * length)
		kernel.Gemm(scratch, rows, n, hd, head(qkv, first+q0, ld, h*hd), transposed(k), p, n, false)
		for i := range rows {
			row := p[i*n:][:n]
			seen := q0 + i + 1
			a.logSum[(first+q0+i)*c.Heads+h] = kernel.Softmax(row[:seen], a.scale)
			clear(row[seen:])
		}
		kernel.Gemm(scratch, rows, hd, n, kernel.Mat{Data: p, LD: n}, v, a.out[(first+q0)*width+h*hd:], width, false)
	}
}

// backward computes the gradients of one key and value head of one sequence and of the query heads that share it.
func (a *attention) backward(worker, sequence, group int, qkv, dout, dqkv []float32) {
	c := a.config
	first, length := a.batch.sequence(sequence)
	ld, hd, width := c.QKVRows(), c.HeadDim, c.AttnDim()
	kColumn, vColumn := width+group*hd, width+c.KVDim()+group*hd
	k, v := head(qkv, first, ld, kColumn), head(qkv, first, ld, vColumn)
	dk, dv := head(dqkv, first, ld, kColumn), head(dqkv, first, ld, vColumn)
	for i := range length {
		clear(dk.Data[i*ld:][:hd])
		clear(dv.Data[i*ld:][:hd])
	}
	scratch := a.pool.Scratch(worker)
	shared := c.Heads / c.KVHeads
	for h := group * shared; h < (group+1)*shared; h++ {
		for q0 := 0; q0 < length; q0 += queryBlock {
			n := min(length, q0+queryBlock)
			rows := n - q0
			p, dp := a.rooms[worker].grow(queryBlock * length)
			q := head(qkv, first+q0, ld, h*hd)
			do := head(dout, first+q0, width, h*hd)
			kernel.Gemm(scratch, rows, n, hd, q, transposed(k), p, n, false)
			kernel.Gemm(scratch, rows, n, hd, do, transposed(v), dp, n, false)
			for i := range rows {
				a.scoreBack(p[i*n:][:n], dp[i*n:][:n], do.Data[i*width:][:hd], first+q0+i, q0+i+1, h)
			}
			probs, scores := kernel.Mat{Data: p, LD: n}, kernel.Mat{Data: dp, LD: n}
			kernel.Gemm(scratch, rows, hd, n, scores, k, dqkv[(first+q0)*ld+h*hd:], ld, false)
			kernel.Gemm(scratch, n, hd, rows, transposed(scores), q, dk.Data, ld, true)
			kernel.Gemm(scratch, n, hd, rows, transposed(probs), do, dv.Data, ld, true)
		}
	}
}

// scoreBack turns a row of scores into probabilities and the gradient dp of the probabilities into that of the scores.
// Σ dp·p equals dout·out, which is shorter.
func (a *attention) scoreBack(p, dp, dout []float32, row, seen, h int) {
	hd := a.config.HeadDim
	kernel.ExpSum(p[:seen], p[:seen], a.scale, -a.logSum[row*a.config.Heads+h])
	clear(p[seen:])
	sum := kernel.Dot(dout, a.out[row*a.config.AttnDim()+h*hd:][:hd])
	kernel.SoftmaxBack(dp[:seen], p[:seen], sum, a.scale)
	clear(dp[seen:])
}
