package train

import (
	"fmt"

	"jupiter/plugins/builtin/llama/model"
)

// Sequence is one example. The model learns to predict Tokens[i] from all tokens before it, with Weights[i] as the
// weight of that prediction in the loss; Weights[0] has no prediction and is not used.
type Sequence struct {
	Tokens  []int32
	Weights []float32
}

// rows is the number of predictions.
func (s Sequence) rows() int { return len(s.Tokens) - 1 }

// check says what is wrong with sequence i of a step.
func (s Sequence) check(i int, c model.Config) error {
	switch {
	case len(s.Tokens) < 2:
		return fmt.Errorf("sequence %d has %d tokens: a prediction needs two", i, len(s.Tokens))
	case s.rows() > c.Context:
		return fmt.Errorf("sequence %d has %d predictions, more than the context of %d", i, s.rows(), c.Context)
	case len(s.Weights) != len(s.Tokens):
		return fmt.Errorf("sequence %d has %d tokens and %d weights", i, len(s.Tokens), len(s.Weights))
	}
	for j, t := range s.Tokens {
		if t < 0 || int(t) >= c.Vocab {
			return fmt.Errorf("sequence %d, token %d: id %d is outside the vocabulary of %d", i, j, t, c.Vocab)
		}
		if w := s.Weights[j]; !(w >= 0) || w > maxWeight {
			return fmt.Errorf("sequence %d, token %d: weight %g is outside [0, %g]", i, j, w, float32(maxWeight))
		}
	}
	return nil
}

const maxWeight = 1e6

// batch is the input of one pass: sequences packed into rows. The operations of a graph share one batch and read it when
// they run.
type batch struct {
	n       int       // active rows
	starts  []int     // first row of each sequence, then n
	ids     []int32   // [n] input token
	targets []int32   // [n] token to predict
	pos     []int32   // [n] position within the sequence
	weights []float32 // [n] of the prediction in the loss
	keys    []uint64  // [n] for dropout
	total   float64   // sum of weights over all passes of the step
}

// fill packs sequences; first is the place of seqs[0] in the step.
func (b *batch) fill(seqs []Sequence, first int, total float64, key uint64) {
	b.n, b.total = 0, total
	b.starts, b.ids, b.targets = b.starts[:0], b.ids[:0], b.targets[:0]
	b.pos, b.weights, b.keys = b.pos[:0], b.weights[:0], b.keys[:0]
	for i, s := range seqs {
		b.starts = append(b.starts, b.n)
		own := mix(key ^ mix(uint64(first+i)))
		for p := range s.rows() {
			b.ids = append(b.ids, s.Tokens[p])
			b.targets = append(b.targets, s.Tokens[p+1])
			b.weights = append(b.weights, s.Weights[p+1])
			b.pos = append(b.pos, int32(p))
			b.keys = append(b.keys, mix(own+uint64(p)))
		}
		b.n += s.rows()
	}
	b.starts = append(b.starts, b.n)
}

// sequence gives the first row of sequence i and its length.
func (b *batch) sequence(i int) (row, length int) {
	return b.starts[i], b.starts[i+1] - b.starts[i]
}

// mix is the finalizer of splitmix64 (Steele, Lea and Flood 2014): a bijection whose every output bit depends on every
// input bit.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
