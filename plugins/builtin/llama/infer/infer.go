// Package infer runs a Llama model: it continues texts and gives the likelihood of texts.
//
// Both are one forward pass over rows. A row is one token at one position of one sequence; a pass takes any rows of any
// sequences, as long as those of a sequence are consecutive and its earlier positions are in its cache. Decoding passes
// one row for each live sequence and the whole prompt of a sequence that has just come in; scoring passes whole texts.
// A sequence that ends makes room for the next at once, so the rows of a pass stay many (continuous batching, Yu et
// al. 2022).
//
// A result depends on its own prompt, seed and options, and on nothing else: not on what it was batched with, on the
// size of the batch or on the number of threads, bit for bit. Three things make it so. The kernel's contract gives each
// row the same bits wherever it stands. Attention works on a sequence alone, and takes the same steps whether a position
// comes in a prompt or by itself. And a sample's random numbers are a function of its seed and of the position. Across
// machines results may differ in the last bits, and sampled tokens where these decide; see package kernel.
//
// Workers share nothing but the parameters and the list of what is to do: each has sequences of its own. That suits many
// sequences, which is what generating and evaluating are. With fewer sequences than threads a worker that generates has
// some threads to itself, over which it spreads its products.
//
// Special tokens are not masked: the probabilities that are sampled from are the model's, and they are the ones that
// Score reports. A text ends at the end-of-text token, and at the end of a turn where the vocabulary has one; any other
// special token that a model writes appears in the text by its spelling.
package infer

import (
	"fmt"
	"slices"

	"jupiter/plugins/builtin/llama/bpe"
	"jupiter/plugins/builtin/llama/kernel"
	"jupiter/plugins/builtin/llama/model"
)

// Model is a model made ready to run: the parameters laid out for products. It never changes, and may be used by several
// goroutines at once.
type Model struct {
	Tokenizer *bpe.Tokenizer
	Config    model.Config

	embed  []float32 // [Vocab, Dim]
	layers []layer
	norm   []float32
	output *kernel.Packed // Dim → Vocab
	rope   *model.Rope
}

type layer struct {
	attnNorm, ffnNorm    []float32
	qkv, o, gateUp, down *kernel.Packed
}

// New makes a model ready. It takes copies, so that w can go: the parameters of a model are one slice, and a view of a part of
// them keeps all.
func New(w *model.Weights, t *bpe.Tokenizer) (*Model, error) {
	if t.Size() != w.Vocab {
		return nil, fmt.Errorf("the tokenizer has %d tokens, the model %d", t.Size(), w.Vocab)
	}
	m := prepare(w)
	m.Tokenizer = t
	return m, nil
}

// prepare lays out the parameters.
func prepare(w *model.Weights) *Model {
	c := w.Config
	pack := func(out, in int, data []float32) *kernel.Packed {
		return kernel.Pack(out, in, kernel.Mat{Data: data, LD: in, T: true})
	}
	m := &Model{
		Config: c, embed: slices.Clone(w.Embed), norm: slices.Clone(w.Norm),
		output: pack(c.Vocab, c.Dim, w.OutputMatrix()),
		rope:   model.NewRope(c, c.Context),
	}
	for _, l := range w.Layers {
		m.layers = append(m.layers, layer{
			attnNorm: slices.Clone(l.AttnNorm), ffnNorm: slices.Clone(l.FFNNorm),
			qkv:    pack(c.QKVRows(), c.Dim, l.QKV),
			o:      pack(c.Dim, c.AttnDim(), l.O),
			gateUp: pack(2*c.FFN, c.Dim, l.GateUp),
			down:   pack(c.Dim, c.FFN, l.Down),
		})
	}
	return m
}

// Options say how work is spread. They change how fast results come, and never the results.
type Options struct {
	Threads int // workers, at least 1
	Batch   int // sequences decoded at a time by all workers together, at least 1

	// Step, unless nil, is called after every pass with the number of tokens that Generate has drawn in it. It is called
	// by the workers, at the same time too.
	Step func(tokens int)
}

func (o Options) check() error {
	if o.Threads < 1 || o.Batch < 1 {
		return fmt.Errorf("%d threads and a batch of %d: each must be at least 1", o.Threads, o.Batch)
	}
	return nil
}
