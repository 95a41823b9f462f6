package train

import (
	"errors"
	"math"

	G "gorgonia.org/gorgonia"

	"jupiter/plugins/builtin/llama/kernel"
)

// logitRows is the number of rows whose logits are in memory at a time.
const logitRows = 256

// crossEntropy is the output projection and the loss in one: Σ w·(−ln p(target)) / Σ w, the second sum over the whole
// step. Logits of all rows would be the largest array of the pass, so they are made in chunks, and while a chunk is
// there its gradients are made too: the forward operation leaves dh and adds to the weight's gradient, and the gradient
// operation hands them on. This holds because nothing follows the loss: its own gradient is 1.
//
// With a tie, w is the embedding, whose gradient's node is made by embed.
func (m *builder) crossEntropy(h *G.Node, w param, tie *tie) (*G.Node, error) {
	d, vocab := m.config.Dim, m.config.Vocab
	dh := m.passing("final", d)
	logits := make([]float32, min(logitRows, m.capacity)*vocab)
	nll := make([]float32, m.capacity)
	return m.add(spec{
		name: "cross entropy", in: G.Nodes{h, w.node},
		scalar: func(in [][]float32) (float32, error) {
			n := m.batch.n
			for first := 0; first < n; first += logitRows {
				rows := min(logitRows, n-first)
				x := kernel.Mat{Data: in[0][first*d:], LD: d}
				m.pool.Gemm(rows, vocab, d, x, kernel.Mat{Data: in[1], LD: d, T: true}, logits, vocab, false)
				m.pool.For(rows, 16, func(_, lo, hi int) {
					for i := lo; i < hi; i++ {
						nll[first+i] = m.softmaxLoss(logits[i*vocab:][:vocab], first+i)
					}
				})
				g := kernel.Mat{Data: logits, LD: vocab}
				m.pool.Gemm(rows, d, vocab, g, kernel.Mat{Data: in[1], LD: d}, dh[first*d:], d, false)
				m.pool.Gemm(vocab, d, rows, transposed(g), x, m.gradient(w), d, true)
			}
			var sum float64
			for i := range n {
				sum += float64(m.batch.weights[i]) * float64(nll[i])
			}
			return float32(sum / m.batch.total), nil
		},
		wrt: []bool{true, tie == nil},
		diff: func(in G.Nodes, out, grad *G.Node) (G.Nodes, error) {
			dhNode, err := m.add(spec{
				name: "cross entropy back", in: G.Nodes{in[0], out, grad}, data: dh, shape: m.rows(d),
				run: func(in [][]float32) error {
					if in[2][0] != 1 {
						return errors.New("the loss is the end of the graph: its gradient must be 1")
					}
					return nil
				},
			})
			if err != nil {
				return nil, err
			}
			if tie != nil {
				tie.after = dhNode
				return G.Nodes{dhNode, nil}, nil
			}
			dw, err := m.collected(w, dhNode)
			return G.Nodes{dhNode, dw}, err
		},
	})
}

// softmaxLoss gives −ln p(target) of one row and replaces its logits by their gradient, w/Σw·(p − [target]).
func (m *builder) softmaxLoss(row []float32, i int) float32 {
	target := m.batch.targets[i]
	top := kernel.Max(row)
	of := row[target]
	sum := kernel.ExpSum(row, row, 1, -top)
	share := float64(m.batch.weights[i]) / m.batch.total
	kernel.Scale(row, float32(share/float64(sum)))
	row[target] -= float32(share)
	return float32(math.Log(float64(sum)) + float64(top-of))
}
