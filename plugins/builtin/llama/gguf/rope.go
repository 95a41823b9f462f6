package gguf

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"

	"jupiter/plugins/builtin/llama/model"
)

// Scaled rotary positions are written in one of two ways. Where all frequencies are divided by one factor there are two keys,
// llama.rope.scaling.type and .factor. Llama 3.1's are a tensor with the factor of each frequency, and not the four numbers that
// the factors follow from. Those are a key of this program's own, which other programs pass over; where it is missing, the
// factors must be those of the numbers that all of Llama 3.1 to 3.3 have but for the factor itself, which is the last one.
const (
	ropeFactors = "rope_freqs.weight"
	ropeKey     = "jupiter.rope_scaling" // model.RopeScaling in JSON
)

// linear is the one factor that all frequencies are divided by. Files without a type mean it, as llama.cpp reads them.
func (h *header) linear() (model.RopeScaling, error) {
	var s model.RopeScaling
	typ, ok := h.keys["llama.rope.scaling.type"]
	if !ok {
		typ = model.RopeLinear
	}
	if typ == "none" {
		return s, nil
	}
	if typ != model.RopeLinear {
		return s, fmt.Errorf("rotary embeddings scaled by %s are not supported", show(typ))
	}
	factor := 1.0
	for _, name := range []string{"llama.rope.scale_linear", "llama.rope.scaling.factor"} { // the first is the older name
		if h.keys[name] == nil {
			continue
		}
		v, err := h.real(name, 0)
		if err != nil {
			return s, err
		}
		factor = v
	}
	if factor == 1 {
		return s, nil
	}
	return model.RopeScaling{Type: model.RopeLinear, Factor: factor}, nil
}

// rope reads the factors of single frequencies, where there are any, into the configuration.
func (h *header) rope(r io.ReaderAt, c *model.Config) error {
	at, ok := h.tensors[ropeFactors]
	if !ok {
		return nil
	}
	if c.RopeScaling != (model.RopeScaling{}) {
		return fmt.Errorf("its rotary embeddings are scaled twice, by a factor and by those of %q", ropeFactors)
	}
	buf := make([]byte, at.bytes)
	if _, err := r.ReadAt(buf, int64(h.data+at.offset)); err != nil {
		return fmt.Errorf("tensor %q: %w", ropeFactors, err)
	}
	factors := make([]float64, c.HeadDim/2)
	for i := range factors {
		factors[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(buf[4*i:])))
	}
	c.RopeScaling = model.RopeScaling{Type: model.RopeLlama3, Factor: shortest(factors[len(factors)-1]), Low: 1, High: 4, Original: 8192}
	if text, ok := h.keys[ropeKey].(string); ok {
		if err := json.Unmarshal([]byte(text), &c.RopeScaling); err != nil {
			return fmt.Errorf("key %q: %w", ropeKey, err)
		}
	}
	if err := c.Validate(); err != nil {
		return err
	}
	for i, f := range factors {
		if want := c.RopeFactor(i); !(math.Abs(f-want) <= 1e-5*want) {
			return fmt.Errorf("tensor %q scales rotary embeddings in another way than Llama 3.1's: it divides frequency %d by %g, not by %g", ropeFactors, i, f, want)
		}
	}
	return nil
}

// ropeTensors are the factors as a tensor, where they differ from each other.
func ropeTensors(c model.Config) []model.Tensor {
	if c.RopeScaling.Type != model.RopeLlama3 {
		return nil
	}
	x := model.Tensor{Name: ropeFactors, Shape: []int{c.HeadDim / 2}}
	for i := range c.HeadDim / 2 {
		x.Data = append(x.Data, float32(c.RopeFactor(i)))
	}
	return []model.Tensor{x}
}

// ropeKeys are the keys of scaled rotary positions.
func ropeKeys(s model.RopeScaling) []key {
	switch s.Type {
	case model.RopeLinear:
		return []key{{"llama.rope.scaling.type", s.Type}, {"llama.rope.scaling.factor", float32(s.Factor)}}
	case model.RopeLlama3:
		text, err := json.Marshal(s)
		if err != nil {
			panic(err) // cannot happen: finite numbers
		}
		return []key{{ropeKey, string(text)}}
	}
	return nil
}
