package gguf

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"jupiter/plugins/builtin/llama/bpe"
	"jupiter/plugins/builtin/llama/model"
)

// show is what an error says of a value.
func show(v value) string {
	switch v := v.(type) {
	case nil:
		return "missing"
	case string:
		return clip(v)
	case []string, []int64, skipped:
		return "a list"
	}
	return fmt.Sprint(v)
}

// count reads a whole number that must lie in [1, 2²⁴]; where the key is absent, def, or an error when def is 0.
func (h *header) count(name string, def int) (int, error) {
	switch v := h.keys[name].(type) {
	case nil:
		if def == 0 {
			return 0, fmt.Errorf("key %q is missing", name)
		}
		return def, nil
	case uint64:
		if v >= 1 && v <= 1<<24 {
			return int(v), nil
		}
	case int64:
		if v >= 1 && v <= 1<<24 {
			return int(v), nil
		}
	}
	return 0, fmt.Errorf("key %q is %s", name, show(h.keys[name]))
}

func (h *header) real(name string, def float64) (float64, error) {
	switch v := h.keys[name].(type) {
	case nil:
		if def == 0 {
			return 0, fmt.Errorf("key %q is missing", name)
		}
		return def, nil
	case float64:
		return shortest(v), nil
	}
	return 0, fmt.Errorf("key %q is %s", name, show(h.keys[name]))
}

// shortest undoes the rounding of a decimal number to float32: 1e-5 is stored as 9.99999974738e-06, and means 1e-5.
// A number that was never written in decimal stays within half a unit of float32, which is all that the file holds.
func shortest(v float64) float64 {
	if float64(float32(v)) != v || math.IsInf(v, 0) || math.IsNaN(v) {
		return v
	}
	out, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', -1, 32), 64)
	if err != nil {
		return v
	}
	return out
}

func (h *header) config() (model.Config, error) {
	var c model.Config
	if a := h.keys["general.architecture"]; a != architecture {
		return c, fmt.Errorf("architecture %s, not %s", show(a), architecture)
	}
	if err := h.plain(); err != nil {
		return c, err
	}
	var tokens int
	if list, ok := h.keys["tokenizer.ggml.tokens"].([]string); ok {
		tokens = len(list)
	}
	var err error
	get := func(to *int, name string, def int) {
		if err == nil {
			*to, err = h.count("llama."+name, def)
		}
	}
	get(&c.Dim, "embedding_length", 0)
	get(&c.Layers, "block_count", 0)
	get(&c.FFN, "feed_forward_length", 0)
	get(&c.Context, "context_length", 0)
	get(&c.Heads, "attention.head_count", 0)
	get(&c.KVHeads, "attention.head_count_kv", c.Heads)
	get(&c.Vocab, "vocab_size", tokens)
	if err == nil {
		get(&c.HeadDim, "attention.key_length", c.Dim/c.Heads)
	}
	value, rope := 0, 0
	get(&value, "attention.value_length", c.HeadDim)
	get(&rope, "rope.dimension_count", c.HeadDim)
	if err == nil {
		c.RopeTheta, err = h.real("llama.rope.freq_base", 10000)
	}
	if err == nil {
		c.NormEps, err = h.real("llama.attention.layer_norm_rms_epsilon", 0)
	}
	if err != nil {
		return c, err
	}
	if value != c.HeadDim || rope != c.HeadDim {
		return c, fmt.Errorf("heads of %d keys, %d values and %d rotated elements: they must be equal", c.HeadDim, value, rope)
	}
	_, untied := h.tensors["output.weight"]
	c.Tied = !untied
	if c.RopeScaling, err = h.linear(); err != nil {
		return c, err
	}
	return c, c.Validate()
}

// plain refuses variants of the architecture that this engine does not compute.
func (h *header) plain() error {
	if n, ok := h.keys["llama.expert_count"]; ok && n != uint64(0) {
		return fmt.Errorf("a mixture of %s experts is not supported", show(n))
	}
	return nil
}

// shapes checks that the file has the tensors of a model of shape c and no others. Since each lies within the file, this
// bounds the memory that the model takes by a small multiple of the file's size.
func (h *header) shapes(c model.Config) error {
	if c.Layers > len(h.tensors) {
		return fmt.Errorf("%d layers, but only %d tensors", c.Layers, len(h.tensors))
	}
	want := expected(c)
	for _, name := range sortedNames(want) {
		t, ok := h.tensors[name]
		if !ok {
			return fmt.Errorf("tensor %q is missing", name)
		}
		if !slices.Equal(t.dims, want[name]) {
			return fmt.Errorf("tensor %q has dimensions %d, not %d", name, t.dims, want[name])
		}
	}
	for _, name := range sortedNames(h.tensors) {
		if t := h.tensors[name]; name == ropeFactors {
			if !slices.Equal(t.dims, []uint64{uint64(c.HeadDim) / 2}) || t.typ != F32 {
				return fmt.Errorf("tensor %q has dimensions %d in %v, not [%d] in f32", name, t.dims, t.typ, c.HeadDim/2)
			}
			continue
		}
		if _, ok := want[name]; !ok {
			return fmt.Errorf("tensor %q is not part of a plain Llama model", clip(name))
		}
	}
	return nil
}

func sortedNames[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for n := range m {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

func (h *header) tokenizer() (*bpe.Tokenizer, error) {
	if m := h.keys["tokenizer.ggml.model"]; m != tokenizerModel {
		return nil, fmt.Errorf("model %s, not %s", show(m), tokenizerModel)
	}
	split := slices.Index(splits[:], fmt.Sprint(h.keys["tokenizer.ggml.pre"]))
	if split < 0 {
		return nil, fmt.Errorf("split pattern %s: %s can be read", show(h.keys["tokenizer.ggml.pre"]), strings.Join(splits[:], " and "))
	}
	addBOS := bpe.Split(split) == bpe.Llama3 // what llama.cpp takes where the key is missing
	switch v := h.keys["tokenizer.ggml.add_bos_token"].(type) {
	case nil:
	case bool:
		addBOS = v
	default:
		return nil, fmt.Errorf("add_bos_token is %s", show(v))
	}
	if v, ok := h.keys["tokenizer.ggml.add_eos_token"]; ok && v != false {
		return nil, fmt.Errorf("add_eos_token is %s: this program adds no end-of-text token to a text", show(v))
	}
	tokens, ok := h.keys["tokenizer.ggml.tokens"].([]string)
	if !ok {
		return nil, fmt.Errorf("there is no list of tokens")
	}
	types, ok := h.keys["tokenizer.ggml.token_type"].([]int64)
	if !ok || len(types) != len(tokens) {
		return nil, fmt.Errorf("the types of tokens do not match the tokens")
	}
	merges, ok := h.keys["tokenizer.ggml.merges"].([]string)
	if !ok {
		return nil, fmt.Errorf("there is no list of merges")
	}
	special := make([]bool, len(tokens))
	for i, t := range types {
		switch t {
		case tokenNormal:
		case tokenControl, tokenUnused:
			special[i] = true
		default:
			return nil, fmt.Errorf("token %d has type %d: only ordinary, control and unused tokens are supported", i, t)
		}
	}
	v := bpe.Vocabulary{Tokens: tokens, Special: special, Merges: merges, Split: bpe.Split(split), NoBOS: !addBOS}
	if chat, ok := h.keys["tokenizer.chat_template"].(string); ok {
		v.ChatTemplate = chat
	}
	for _, id := range []struct {
		to   *int32
		name string
		must bool
	}{{&v.BOS, "bos_token_id", true}, {&v.EOS, "eos_token_id", true}, {&v.Pad, "padding_token_id", false}} {
		switch n := h.keys["tokenizer.ggml."+id.name].(type) {
		case uint64:
			if n >= uint64(len(tokens)) {
				return nil, fmt.Errorf("%s is %d of %d tokens", id.name, n, len(tokens))
			}
			*id.to = int32(n)
		case nil:
			if id.must {
				return nil, fmt.Errorf("%s is missing", id.name)
			}
			*id.to = bpe.None
		default:
			return nil, fmt.Errorf("%s is %s", id.name, show(n))
		}
	}
	return bpe.New(v)
}
