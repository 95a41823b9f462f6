package gguf

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"

	"jupiter/plugins/builtin/llama/bpe"
	"jupiter/plugins/builtin/llama/model"
)

// scaled is a model with rotary positions of Llama 3.2 1B's, or others.
func scaled(t testing.TB, s model.RopeScaling) (*model.Weights, *bpe.Tokenizer) {
	t.Helper()
	w, tok := weights(t, true)
	c := w.Config
	c.Heads, c.KVHeads, c.HeadDim, c.RopeTheta, c.RopeScaling = 1, 1, 64, 500000, s
	w = model.New(c)
	w.Init(3)
	return w, tok
}

var llama32 = model.RopeScaling{Type: model.RopeLlama3, Factor: 32, Low: 1, High: 4, Original: 8192}

// What was written is read; and a file of another program, which does not say the numbers that the factors follow from, where they
// are Llama 3's.
func TestScaledPositions(t *testing.T) {
	t.Parallel()
	for _, s := range []model.RopeScaling{
		llama32, {Type: model.RopeLlama3, Factor: 3.3, Low: 0.7, High: 2.9, Original: 33}, {Type: model.RopeLinear, Factor: 2.5},
		{Type: model.RopeLlama3, Factor: 1, Low: 1, High: 4, Original: 8192}, {},
	} {
		w, tok := scaled(t, s)
		data := encode(t, w, tok, F32)
		back, _, err := decode(data)
		if err != nil {
			t.Fatal(err)
		}
		if back.Config != w.Config || !slices.Equal(back.Flat, w.Flat) {
			t.Errorf("%v is read as %v", w.Config, back.Config)
		}
		if !bytes.Equal(data, encode(t, back, tok, F32)) {
			t.Errorf("%v: written, read and written again: other bytes", s)
		}
		foreign := bytes.Replace(data, []byte(ropeKey), []byte("another."+ropeKey[8:]), 1)
		back, _, err = decode(foreign)
		switch {
		case s.Type == model.RopeLlama3 && s.Low != 1:
			if err == nil || !strings.Contains(err.Error(), "in another way than Llama 3.1's") {
				t.Errorf("%v without its numbers: error %v", s, err)
			}
		case err != nil || back.Config != w.Config:
			t.Errorf("%v without its numbers: %v, %v", s, back, err)
		}
	}
}

func TestScaledPositionsRefuses(t *testing.T) {
	t.Parallel()
	w, tok := scaled(t, llama32)
	good := encode(t, w, tok, F32)
	w, tok = scaled(t, model.RopeScaling{Type: model.RopeLinear, Factor: 2})
	linear := encode(t, w, tok, F32)
	after := func(b []byte, name string) int { return bytes.Index(b, []byte(name)) + len(name) }
	swap := func(old, new string) func([]byte) []byte {
		return func(b []byte) []byte { return bytes.Replace(b, []byte(old), []byte(new), 1) }
	}
	last := func(v float32) func([]byte) []byte { // the factors are the last tensor
		return func(b []byte) []byte {
			binary.LittleEndian.PutUint32(b[len(b)-4:], math.Float32bits(v))
			return b
		}
	}
	for _, c := range []struct {
		name string
		file []byte
		bad  func([]byte) []byte
		want string
	}{
		{"another factor", good, last(31), "it divides frequency 31 by 31, not by 32"},
		{"no number", good, last(float32(math.NaN())), "by NaN"},
		{"numbers that are none", good, swap(`"factor":32`, `"factor":-3`), "must be from 1"},
		{"another way", good, swap(`"llama3"`, `"llamaX"`), `scaled by "llamaX"`},
		{"no JSON", good, swap(`{"rope_type"`, `["rope_type"`), ropeKey},
		{"fewer factors", good, func(b []byte) []byte {
			binary.LittleEndian.PutUint64(b[after(b, ropeFactors)+4:], 31)
			return b
		}, `"rope_freqs.weight" has dimensions [31] in f32, not [32]`},
		{"half factors", good, func(b []byte) []byte { b[after(b, ropeFactors)+12] = byte(F16); return b }, "in f16, not [32] in f32"},
		{"yarn", linear, swap("\x06\x00\x00\x00\x00\x00\x00\x00linear", "\x06\x00\x00\x00\x00\x00\x00\x00yarnXX"), "scaled by yarnXX are not supported"},
		{"a factor of none", linear, func(b []byte) []byte {
			binary.LittleEndian.PutUint32(b[after(b, "llama.rope.scaling.factor")+4:], math.Float32bits(0.5))
			return b
		}, "is 0.5: must be from 1"},
	} {
		bad := c.bad(slices.Clone(c.file))
		if bytes.Equal(bad, c.file) {
			t.Fatalf("%s: nothing replaced", c.name)
		}
		if _, _, err := decode(bad); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one about %q", c.name, err, c.want)
		}
	}
}
