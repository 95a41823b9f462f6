package train

import (
	G "gorgonia.org/gorgonia"

	"jupiter/plugins/builtin/llama/kernel"
)

// swiglu is gate·σ(gate)·up, with gate and up side by side in its input.
func (m *builder) swiglu(gateUp *G.Node) (*G.Node, error) {
	f := m.config.FFN
	y := m.kept(f)
	return m.add(spec{
		name: "swiglu", in: G.Nodes{gateUp}, data: y, shape: m.rows(f),
		run: func(in [][]float32) error {
			m.eachRow(func(i int) {
				row := in[0][i*2*f:][:2*f]
				kernel.SwiGLU(y[i*f:][:f], row[:f], row[f:])
			})
			return nil
		},
		wrt: []bool{true},
		diff: func(in G.Nodes, _, grad *G.Node) (G.Nodes, error) {
			dx := m.passing("gate and up", 2*f)
			n, err := m.add(spec{
				name: "swiglu back", in: G.Nodes{in[0], grad}, data: dx, shape: m.rows(2 * f),
				run: func(in [][]float32) error {
					m.eachRow(func(i int) {
						row, d := in[0][i*2*f:][:2*f], dx[i*2*f:][:2*f]
						kernel.SwiGLUBack(d[:f], d[f:], row[:f], row[f:], in[1][i*f:][:f])
					})
					return nil
				},
			})
			return G.Nodes{n}, err
		},
	})
}
