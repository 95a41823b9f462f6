package train

import (
	G "gorgonia.org/gorgonia"

	"jupiter/plugins/builtin/llama/kernel"
)

// tie links a tied embedding's two uses. Its gradient has two terms: the output projection's is added up first, and the
// embedding's gradient operation runs after that and adds its own to the same memory.
type tie struct {
	after *G.Node // the operation that added the output projection's term
}

// embedColumns is the width of the strips in which workers scatter into the embedding's gradient: each strip takes the
// rows in order, so that the sum does not depend on the number of threads.
const embedColumns = 16

// embed looks up the rows of the input tokens.
func (m *builder) embed(w param, tie *tie) (*G.Node, error) {
	d := m.config.Dim
	y := m.kept(d)
	return m.add(spec{
		name: "embed", in: G.Nodes{w.node}, data: y, shape: m.rows(d),
		run: func(in [][]float32) error {
			m.eachRow(func(i int) { copy(y[i*d:][:d], in[0][int(m.batch.ids[i])*d:]) })
			return nil
		},
		wrt: []bool{true},
		diff: func(_ G.Nodes, _, grad *G.Node) (G.Nodes, error) {
			in := G.Nodes{grad}
			if tie.after != nil {
				in = append(in, tie.after)
			}
			dw := m.gradient(w)
			n, err := m.add(spec{
				name: "embed back", in: in, data: dw, shape: w.Shape,
				run: func(in [][]float32) error {
					m.pool.For(d, embedColumns, func(_, lo, hi int) {
						for i, id := range m.batch.ids {
							kernel.Axpy(dw[int(id)*d:][lo:hi], in[0][i*d:][lo:hi], 1)
						}
					})
					return nil
				},
			})
			return G.Nodes{n}, err
		},
	})
}
