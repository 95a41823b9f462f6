package train

import "jupiter/plugins/builtin/llama/model"

// Cost is what a run of a model takes.
type Cost struct {
	FlopPerRow      float64 // of one prediction, forward and backward
	MemoryBytes     float64 // at most, of the trainer's own arrays
	CheckpointBytes float64
}

// Estimate forecasts training on sequences of a mean length, rows predictions a step. Matrix products take 6 operations
// a parameter and row (Kaplan et al. 2020), and attention 12 a layer, row, position seen and width, plus a sixth of
// attention for the scores that the backward pass makes again.
func Estimate(c model.Config, o Options, length, rows float64) Cost {
	params := float64(c.Params())
	matrices := params - float64(c.Layers*2*c.Dim+c.Dim)
	if !c.Tied {
		matrices -= float64(c.Vocab * c.Dim)
	}
	limit := float64(o.MaxRows)
	if limit == 0 {
		limit = DefaultMaxRows
	}
	capacity := min(max(rows, length), max(limit, float64(c.Context))) * 9 / 8
	d, a, q, f := float64(c.Dim), float64(c.AttnDim()), float64(c.QKVRows()), float64(c.FFN)
	layer := 4*d + q + a + 3*f + float64(c.Heads)        // kept for the backward pass
	passing := 5*d + q + 2*a + 3*f                       // gradients shared by all layers
	chunk := min(logitRows, capacity) * float64(c.Vocab) // logits
	return Cost{
		FlopPerRow:      6*matrices + 14*float64(c.Layers)*length/2*a,
		MemoryBytes:     4 * (4*params + capacity*(float64(c.Layers)*layer+passing+2*d) + chunk),
		CheckpointBytes: 12 * params,
	}
}
