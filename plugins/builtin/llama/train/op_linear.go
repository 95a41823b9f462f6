package train

import (
	"fmt"

	G "gorgonia.org/gorgonia"

	"jupiter/plugins/builtin/llama/kernel"
)

// product sets y to x·Wᵀ for the active rows; w is [out, in].
func (m *builder) product(y, x, w []float32, out, in int) {
	m.pool.Gemm(m.batch.n, out, in, kernel.Mat{Data: x, LD: in}, kernel.Mat{Data: w, LD: in, T: true}, y, out, false)
}

// productBack sets dx to dy·W and adds dyᵀ·x to the weight's gradient.
func (m *builder) productBack(dx, dw, x, w, dy []float32, out, in int) {
	n := m.batch.n
	m.pool.Gemm(n, in, out, kernel.Mat{Data: dy, LD: out}, kernel.Mat{Data: w, LD: in}, dx, in, false)
	m.pool.Gemm(out, in, n, kernel.Mat{Data: dy, LD: out, T: true}, kernel.Mat{Data: x, LD: in}, dw, in, true)
}

// linear is x·Wᵀ.
func (m *builder) linear(x *G.Node, w param) (*G.Node, error) {
	out, in := w.Shape[0], w.Shape[1]
	y := m.kept(out)
	return m.add(spec{
		name: "linear", in: G.Nodes{x, w.node}, data: y, shape: m.rows(out),
		run: func(v [][]float32) error {
			m.product(y, v[0], v[1], out, in)
			return nil
		},
		wrt: []bool{true, true},
		diff: func(nodes G.Nodes, _, grad *G.Node) (G.Nodes, error) {
			return m.linearBack("linear back", nodes[0], w, grad, func(dy []float32) []float32 { return dy })
		},
	})
}

// rotaryLinear is the joint projection to queries, keys and values, with queries and keys turned by their positions.
func (m *builder) rotaryLinear(x *G.Node, w param) (*G.Node, error) {
	out, in := w.Shape[0], w.Shape[1]
	y := m.kept(out)
	return m.add(spec{
		name: "qkv", in: G.Nodes{x, w.node}, data: y, shape: m.rows(out),
		run: func(v [][]float32) error {
			m.product(y, v[0], v[1], out, in)
			m.rotate(y, m.rope.Sin)
			return nil
		},
		wrt: []bool{true, true},
		diff: func(nodes G.Nodes, _, grad *G.Node) (G.Nodes, error) {
			return m.linearBack("qkv back", nodes[0], w, grad, func(dy []float32) []float32 {
				m.rotate(dy, m.rope.Neg)
				return dy
			})
		},
	})
}

// rotate turns the queries and keys of all active rows in place.
func (m *builder) rotate(qkv, sin []float32) {
	width := m.config.QKVRows()
	turned := m.config.AttnDim() + m.config.KVDim()
	half := m.rope.Half
	m.pool.For(m.batch.n, 32, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			p := int(m.batch.pos[i]) * half
			row := qkv[i*width:][:turned]
			kernel.Rotate(row, row, m.rope.Cos[p:][:half], sin[p:][:half])
		}
	})
}

// linearBack makes the gradients of a projection. before prepares the gradient of the product from that of the output.
func (m *builder) linearBack(name string, x *G.Node, w param, grad *G.Node, before func(dy []float32) []float32) (G.Nodes, error) {
	out, in := w.Shape[0], w.Shape[1]
	dx := m.passing(fmt.Sprintf("input of width %d to %d", in, out), in)
	dxNode, err := m.add(spec{
		name: name, in: G.Nodes{x, w.node, grad}, data: dx, shape: m.rows(in),
		run: func(v [][]float32) error {
			m.productBack(dx, m.gradient(w), v[0], v[1], before(v[2]), out, in)
			return nil
		},
	})
	if err != nil {
		return nil, err
	}
	dw, err := m.collected(w, dxNode)
	return G.Nodes{dxNode, dw}, err
}

// residual is x + dropout(a·Wᵀ); site numbers the dropouts of the network.
func (m *builder) residual(x, a *G.Node, w param, skip *skip, site int) (*G.Node, error) {
	out, in := w.Shape[0], w.Shape[1]
	y := m.kept(out)
	drop := kernel.NewDropout(m.dropout)
	return m.add(spec{
		name: "residual", in: G.Nodes{x, a, w.node}, data: y, shape: m.rows(out),
		run: func(v [][]float32) error {
			m.product(y, v[1], v[2], out, in)
			m.eachRow(func(i int) {
				drop.Add(y[i*out:][:out], v[0][i*out:][:out], m.siteKey(i, site))
			})
			return nil
		},
		// x's gradient goes through skip.
		wrt: []bool{false, true, true},
		diff: func(nodes G.Nodes, _, grad *G.Node) (G.Nodes, error) {
			skip.grad = grad
			before := func(dy []float32) []float32 { return dy }
			if m.dropout > 0 {
				dropped := m.passing("dropped", out)
				before = func(dy []float32) []float32 {
					m.eachRow(func(i int) {
						drop.Mul(dropped[i*out:][:out], dy[i*out:][:out], m.siteKey(i, site))
					})
					return dropped
				}
			}
			back, err := m.linearBack("residual back", nodes[1], w, grad, before)
			if err != nil {
				return nil, err
			}
			return G.Nodes{nil, back[0], back[1]}, nil
		},
	})
}

// siteKey is the dropout key of an active row at one site.
func (m *builder) siteKey(row, site int) uint64 { return mix(m.batch.keys[row] + uint64(site)) }

// eachRow runs f for every active row on the workers.
func (m *builder) eachRow(f func(i int)) {
	m.pool.For(m.batch.n, 64, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			f(i)
		}
	})
}
