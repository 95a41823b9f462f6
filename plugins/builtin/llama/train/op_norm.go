package train

import (
	G "gorgonia.org/gorgonia"

	"jupiter/plugins/builtin/llama/kernel"
)

// skip links the norm that opens a residual branch with the residual that closes it. The residual's input has two uses,
// so its gradient has two terms: the residual hands its own term over here, and the norm adds the branch's to it in
// place. Gorgonia, which sees only the path through the branch, would need another buffer and another sweep to add them.
type skip struct {
	grad *G.Node // gradient of the residual's output; gorgonia differentiates the residual before the norm
}

func newSkip() *skip { return &skip{} }

// normChunk is the number of rows whose share of a gain's gradient is summed by one worker. The chunks are then added in
// order, so that the sum does not depend on the number of threads.
const normChunk = 64

// norm is RMSNorm. With a skip its input's gradient includes the residual's.
func (m *builder) norm(x *G.Node, gain param, skip *skip) (*G.Node, error) {
	d := m.config.Dim
	y, factor := m.kept(d), make([]float32, m.capacity)
	return m.add(spec{
		name: "norm", in: G.Nodes{x, gain.node}, data: y, shape: m.rows(d),
		run: func(in [][]float32) error {
			m.pool.For(m.batch.n, normChunk, func(_, lo, hi int) {
				for i := lo; i < hi; i++ {
					factor[i] = kernel.RMSNorm(y[i*d:][:d], in[0][i*d:][:d], in[1], m.config.NormEps)
				}
			})
			return nil
		},
		wrt: []bool{true, true},
		diff: func(in G.Nodes, _, grad *G.Node) (G.Nodes, error) {
			return m.normBack(in[0], gain, grad, skip, factor)
		},
	})
}

func (m *builder) normBack(x *G.Node, gain param, grad *G.Node, skip *skip, factor []float32) (G.Nodes, error) {
	d := m.config.Dim
	in := G.Nodes{x, gain.node, grad}
	if skip != nil {
		in = append(in, skip.grad)
	}
	dx, dgain := m.stream(), m.gradient(gain)
	parts := make([]float32, (m.capacity+normChunk-1)/normChunk*d)
	dxNode, err := m.add(spec{
		name: "norm back", in: in, data: dx, shape: m.rows(d),
		run: func(in [][]float32) error {
			x, w, dy := in[0], in[1], in[2]
			n := m.batch.n
			chunks := (n + normChunk - 1) / normChunk
			m.pool.For(chunks, 1, func(_, lo, hi int) {
				for c := lo; c < hi; c++ {
					part := parts[c*d:][:d]
					clear(part)
					for i := c * normChunk; i < min(n, (c+1)*normChunk); i++ {
						row := dx[i*d:][:d]
						if skip == nil {
							clear(row)
						}
						kernel.RMSNormBack(row, part, x[i*d:][:d], w, dy[i*d:][:d], factor[i])
					}
				}
			})
			for c := range chunks {
				kernel.Axpy(dgain, parts[c*d:][:d], 1)
			}
			return nil
		},
	})
	if err != nil {
		return nil, err
	}
	dgainNode, err := m.collected(gain, dxNode)
	return G.Nodes{dxNode, dgainNode}, err
}
