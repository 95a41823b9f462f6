package model

import (
	"fmt"
	"slices"
)

// Weights are the parameters of one model. Every slice is a view of Flat.
type Weights struct {
	Config
	Flat   []float32 // all parameters, in the order of Params
	Embed  []float32 // [Vocab, Dim]
	Layers []Layer
	Norm   []float32 // [Dim], before the output projection
	Output []float32 // [Vocab, Dim]; nil when tied
}

// Layer is one decoder block.
type Layer struct {
	AttnNorm []float32 // [Dim]
	QKV      []float32 // [QKVRows, Dim]: query rows, key rows, value rows
	O        []float32 // [Dim, AttnDim]
	FFNNorm  []float32 // [Dim]
	GateUp   []float32 // [2·FFN, Dim]: gate rows, up rows
	Down     []float32 // [Dim, FFN]
}

// Param is one stored parameter matrix or vector, as training sees it.
type Param struct {
	Name   string
	Shape  []int     // [out, in], or [n] for a norm's gain
	Offset int       // of Data in Weights.Flat
	Data   []float32 // a view of Weights.Flat
}

// Tensor is one parameter as Hugging Face names and shapes it.
type Tensor struct {
	Name  string
	Shape []int
	Data  []float32 // a view of Weights.Flat
}

// New makes the weights of a model, all zero. It panics when c is not valid: call Validate on what a user wrote.
func New(c Config) *Weights {
	if err := c.Validate(); err != nil {
		panic("model: " + err.Error())
	}
	w := &Weights{Config: c, Flat: make([]float32, c.Params())}
	rest := w.Flat
	take := func(n int) []float32 {
		part := rest[:n:n]
		rest = rest[n:]
		return part
	}
	w.Embed = take(c.Vocab * c.Dim)
	w.Layers = make([]Layer, c.Layers)
	for i := range w.Layers {
		w.Layers[i] = Layer{
			AttnNorm: take(c.Dim),
			QKV:      take(c.QKVRows() * c.Dim),
			O:        take(c.Dim * c.AttnDim()),
			FFNNorm:  take(c.Dim),
			GateUp:   take(2 * c.FFN * c.Dim),
			Down:     take(c.Dim * c.FFN),
		}
	}
	w.Norm = take(c.Dim)
	if !c.Tied {
		w.Output = take(c.Vocab * c.Dim)
	}
	return w
}

// Clone is a copy that shares nothing.
func (w *Weights) Clone() *Weights {
	c := New(w.Config)
	copy(c.Flat, w.Flat)
	return c
}

// OutputMatrix is the output projection [Vocab, Dim]: the embedding when tied.
func (w *Weights) OutputMatrix() []float32 {
	if w.Output == nil {
		return w.Embed
	}
	return w.Output
}

// Params lists the stored parameters in the order of Flat: joint matrices stay joint.
func (w *Weights) Params() []Param {
	var ps []Param
	offset := 0
	add := func(name string, data []float32, shape ...int) {
		ps = append(ps, Param{Name: name, Shape: shape, Offset: offset, Data: data})
		offset += len(data)
	}
	c := w.Config
	add("embed", w.Embed, c.Vocab, c.Dim)
	for i, l := range w.Layers {
		p := fmt.Sprintf("layers.%d.", i)
		add(p+"attn_norm", l.AttnNorm, c.Dim)
		add(p+"qkv", l.QKV, c.QKVRows(), c.Dim)
		add(p+"o", l.O, c.Dim, c.AttnDim())
		add(p+"ffn_norm", l.FFNNorm, c.Dim)
		add(p+"gate_up", l.GateUp, 2*c.FFN, c.Dim)
		add(p+"down", l.Down, c.Dim, c.FFN)
	}
	add("norm", w.Norm, c.Dim)
	if w.Output != nil {
		add("output", w.Output, c.Vocab, c.Dim)
	}
	return ps
}

// Tensors lists the parameters under their Hugging Face names, in the order of the model: the joint matrices are given
// as their row blocks. lm_head.weight is absent when tied.
func (w *Weights) Tensors() []Tensor { return w.TensorsOf(w.Flat) }

// TensorsOf is Tensors over another slice of the same length and order, such as an optimizer's moments. It panics when
// the length differs.
func (w *Weights) TensorsOf(flat []float32) []Tensor {
	if len(flat) != len(w.Flat) {
		panic(fmt.Sprintf("model: %d numbers for %d parameters", len(flat), len(w.Flat)))
	}
	var ts []Tensor
	rest := flat
	add := func(name string, shape ...int) {
		n := 1
		for _, s := range shape {
			n *= s
		}
		ts = append(ts, Tensor{Name: name, Shape: slices.Clone(shape), Data: rest[:n:n]})
		rest = rest[n:]
	}
	c := w.Config
	add("model.embed_tokens.weight", c.Vocab, c.Dim)
	for i := range c.Layers {
		p := fmt.Sprintf("model.layers.%d.", i)
		add(p+"input_layernorm.weight", c.Dim)
		add(p+"self_attn.q_proj.weight", c.AttnDim(), c.Dim)
		add(p+"self_attn.k_proj.weight", c.KVDim(), c.Dim)
		add(p+"self_attn.v_proj.weight", c.KVDim(), c.Dim)
		add(p+"self_attn.o_proj.weight", c.Dim, c.AttnDim())
		add(p+"post_attention_layernorm.weight", c.Dim)
		add(p+"mlp.gate_proj.weight", c.FFN, c.Dim)
		add(p+"mlp.up_proj.weight", c.FFN, c.Dim)
		add(p+"mlp.down_proj.weight", c.Dim, c.FFN)
	}
	add("model.norm.weight", c.Dim)
	if !c.Tied {
		add("lm_head.weight", c.Vocab, c.Dim)
	}
	return ts
}
