// Package model holds the parameters of a Llama-style decoder and nothing that computes with them.
//
// The architecture is the plain one that every tool knows: token embedding, then per layer RMSNorm → attention with
// rotary positions → residual, RMSNorm → SwiGLU → residual, then a last RMSNorm and the output projection, which is the
// embedding itself when Tied. There is no bias, no embedding scale and no soft cap, so a file made from these numbers
// needs no switch in llama.cpp or in Hugging Face transformers.
//
// All parameters lie in one slice, Weights.Flat, and everything else is a view of it: an optimizer walks one slice, a
// clone is one copy. Matrices are row-major [out, in]. The query, key and value projections are one matrix (rows q, then
// k, then v), and so are gate and up: one matrix product instead of three or two. Tensors gives the same numbers under
// their Hugging Face names, as views.
package model

import (
	"errors"
	"fmt"
	"math"
)

// Config is the shape of a model.
type Config struct {
	Vocab     int     `json:"vocab_size"`              // rows of the embedding
	Dim       int     `json:"hidden_size"`             // width of the residual stream
	Layers    int     `json:"num_hidden_layers"`       // decoder blocks
	Heads     int     `json:"num_attention_heads"`     // query heads
	KVHeads   int     `json:"num_key_value_heads"`     // key and value heads; divides Heads
	HeadDim   int     `json:"head_dim"`                // width of a head; even
	FFN       int     `json:"intermediate_size"`       // width of the SwiGLU layer
	Context   int     `json:"max_position_embeddings"` // longest sequence
	RopeTheta float64 `json:"rope_theta"`              // base of the rotary frequencies
	NormEps   float64 `json:"rms_norm_eps"`            // added to the mean square
	Tied      bool    `json:"tie_word_embeddings"`     // the embedding is also the output projection

	RopeScaling RopeScaling `json:"rope_scaling,omitzero"`
}

// maxParams bounds what a configuration may ask for: 2³³ parameters are 32 GiB of float32.
const maxParams = 1 << 33

// Validate says whether a model of this shape can be built.
func (c Config) Validate() error {
	for _, f := range []struct {
		name  string
		value int
	}{
		{"vocab", c.Vocab}, {"dim", c.Dim}, {"layers", c.Layers}, {"heads", c.Heads}, {"kv_heads", c.KVHeads},
		{"head_dim", c.HeadDim}, {"ffn", c.FFN}, {"context", c.Context},
	} {
		if f.value < 1 {
			return fmt.Errorf("%s is %d: must be at least 1", f.name, f.value)
		}
		if f.value > 1<<24 {
			return fmt.Errorf("%s is %d: too large", f.name, f.value)
		}
	}
	switch {
	case c.Heads%c.KVHeads != 0:
		return fmt.Errorf("kv_heads %d does not divide heads %d", c.KVHeads, c.Heads)
	case c.HeadDim%2 != 0:
		return fmt.Errorf("head_dim %d is odd: rotary positions turn pairs", c.HeadDim)
	case !(c.RopeTheta > 1) || math.IsInf(c.RopeTheta, 0):
		return fmt.Errorf("rope_theta %g: must be above 1", c.RopeTheta)
	case !(c.NormEps > 0) || c.NormEps > 0.1:
		return fmt.Errorf("rms_norm_eps %g: must be above 0 and at most 0.1", c.NormEps)
	}
	if err := c.RopeScaling.check(); err != nil {
		return err
	}
	// In float64, because the product of hostile sizes overflows int.
	perLayer := float64(c.Dim)*(2+float64(c.QKVRows())+float64(c.AttnDim())) + 3*float64(c.Dim)*float64(c.FFN)
	if float64(c.Layers)*perLayer+2*float64(c.Vocab)*float64(c.Dim) > maxParams {
		return errors.New("more than 2^33 parameters")
	}
	return nil
}

// AttnDim is the width of all query heads together: the input of the attention's output projection.
func (c Config) AttnDim() int { return c.Heads * c.HeadDim }

// KVDim is the width of all key heads together, which is that of the value heads.
func (c Config) KVDim() int { return c.KVHeads * c.HeadDim }

// QKVRows is the number of rows of the joint query, key and value matrix.
func (c Config) QKVRows() int { return c.AttnDim() + 2*c.KVDim() }

// Params is the number of parameters, a tied embedding counted once.
func (c Config) Params() int {
	d := c.Dim
	n := c.Vocab*d + d + c.Layers*(2*d+c.QKVRows()*d+d*c.AttnDim()+3*d*c.FFN)
	if !c.Tied {
		n += c.Vocab * d
	}
	return n
}

// SameArchitecture reports whether weights of the one shape fit the other. The longest sequence may differ: rotary
// positions have no parameters.
func (c Config) SameArchitecture(o Config) bool {
	c.Context, o.Context = 0, 0
	return c == o
}

func (c Config) String() string {
	out := "untied"
	if c.Tied {
		out = "tied"
	}
	return fmt.Sprintf("%d layers, dim %d, %d heads (%d kv) of %d, ffn %d, vocab %d, %s, rope theta %g%v",
		c.Layers, c.Dim, c.Heads, c.KVHeads, c.HeadDim, c.FFN, c.Vocab, out, c.RopeTheta, c.RopeScaling)
}
