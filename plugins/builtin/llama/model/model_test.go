package model

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func example() Config {
	return Config{Vocab: 11, Dim: 6, Layers: 2, Heads: 3, KVHeads: 1, HeadDim: 4, FFN: 5, Context: 16, RopeTheta: 10000, NormEps: 1e-5}
}

// Views of either kind lie one after the other and cover every parameter once.
func TestViewsCoverAllParametersOnce(t *testing.T) {
	t.Parallel()
	for _, tied := range []bool{true, false} {
		c := example()
		c.Tied = tied
		w := New(c)
		for i := range w.Flat {
			w.Flat[i] = float32(i)
		}
		next := 0
		for _, p := range w.Params() {
			if p.Offset != next || p.Data[0] != float32(next) || size(p.Shape) != len(p.Data) {
				t.Errorf("tied %v: %s of shape %v starts at %g with offset %d, want %d", tied, p.Name, p.Shape, p.Data[0], p.Offset, next)
			}
			next += len(p.Data)
		}
		if next != c.Params() || next != len(w.Flat) {
			t.Errorf("tied %v: parameters cover %d, Params says %d, Flat has %d", tied, next, c.Params(), len(w.Flat))
		}
		next = 0
		for _, x := range w.Tensors() {
			if x.Data[0] != float32(next) || size(x.Shape) != len(x.Data) {
				t.Errorf("tied %v: tensor %s of shape %v starts at %g, want %d", tied, x.Name, x.Shape, x.Data[0], next)
			}
			next += len(x.Data)
		}
		if next != len(w.Flat) {
			t.Errorf("tied %v: tensors cover %d of %d", tied, next, len(w.Flat))
		}
	}
}

func size(shape []int) int {
	n := 1
	for _, s := range shape {
		n *= s
	}
	return n
}

func TestTensorsHaveTheirHuggingFaceNames(t *testing.T) {
	t.Parallel()
	c := example()
	c.Layers = 1
	var got []string
	for _, x := range New(c).Tensors() {
		got = append(got, x.Name)
	}
	want := strings.Fields(`model.embed_tokens.weight model.layers.0.input_layernorm.weight model.layers.0.self_attn.q_proj.weight
		model.layers.0.self_attn.k_proj.weight model.layers.0.self_attn.v_proj.weight model.layers.0.self_attn.o_proj.weight
		model.layers.0.post_attention_layernorm.weight model.layers.0.mlp.gate_proj.weight model.layers.0.mlp.up_proj.weight
		model.layers.0.mlp.down_proj.weight model.norm.weight lm_head.weight`)
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	w := New(c)
	w.Layers[0].QKV[c.AttnDim()*c.Dim] = 7 // first of the key rows
	w.Layers[0].GateUp[c.FFN*c.Dim] = 8    // first of the up rows
	for _, x := range w.Tensors() {
		if x.Name == "model.layers.0.self_attn.k_proj.weight" && x.Data[0] != 7 || x.Name == "model.layers.0.mlp.up_proj.weight" && x.Data[0] != 8 {
			t.Errorf("%s starts with %g", x.Name, x.Data[0])
		}
	}
}

func TestInitIsAFunctionOfTheSeed(t *testing.T) {
	t.Parallel()
	fresh := func(seed uint64) *Weights {
		w := New(example())
		w.Init(seed)
		return w
	}
	a, b, other := fresh(1), fresh(1), fresh(2)
	if !slices.Equal(a.Flat, b.Flat) || slices.Equal(a.Flat, other.Flat) {
		t.Error("equal seeds give equal parameters, and other seeds others")
	}
	for _, p := range a.Params() {
		if slices.Contains(p.Data, 0) {
			t.Errorf("%s has zeros", p.Name)
		}
	}
	clone := a.Clone()
	clone.Flat[0]++
	if a.Flat[0] == clone.Flat[0] || clone.Embed[0] != clone.Flat[0] {
		t.Error("a clone shares memory, or is not one piece")
	}
}

func TestValidateRefuses(t *testing.T) {
	t.Parallel()
	if err := example().Validate(); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*Config){
		"vocab is 0":       func(c *Config) { c.Vocab = 0 },
		"layers is -1":     func(c *Config) { c.Layers = -1 },
		"ffn is":           func(c *Config) { c.FFN = 1 << 30 },
		"does not divide":  func(c *Config) { c.KVHeads = 2 },
		"odd":              func(c *Config) { c.HeadDim = 3 },
		"rope_theta":       func(c *Config) { c.RopeTheta = math.NaN() },
		"rms_norm_eps":     func(c *Config) { c.NormEps = 0 },
		`scaled by "yarn"`: func(c *Config) { c.RopeScaling = RopeScaling{Type: "yarn", Factor: 2} },
		"positions is 0.5": func(c *Config) { c.RopeScaling = RopeScaling{Type: RopeLinear, Factor: 0.5} },
		"positions is NaN": func(c *Config) { c.RopeScaling = RopeScaling{Type: RopeLinear, Factor: math.NaN()} },
		"a factor alone":   func(c *Config) { c.RopeScaling = RopeScaling{Type: RopeLinear, Factor: 2, Low: 1} },
		"low_freq_factor":  func(c *Config) { c.RopeScaling = RopeScaling{RopeLlama3, 8, 4, 4, 8192} },
		"original_max":     func(c *Config) { c.RopeScaling = RopeScaling{RopeLlama3, 8, 1, 4, 0} },
		"2^33 parameters":  func(c *Config) { c.Vocab, c.Dim = 1<<24, 1<<24 },
	} {
		c := example()
		change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}

// Files that were written before there was scaling are those of models without it.
func TestNoScalingIsNotWritten(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(example())
	if err != nil || strings.Contains(string(text), "scaling") {
		t.Errorf("%s, %v", text, err)
	}
	c, back := example(), Config{}
	c.RopeScaling = RopeScaling{RopeLlama3, 8, 1, 4, 8192}
	if text, err = json.Marshal(c); err != nil || json.Unmarshal(text, &back) != nil || back != c {
		t.Errorf("%s is read as %v", text, back)
	}
	if c.SameArchitecture(example()) {
		t.Error("other frequencies are the same architecture")
	}
}

func TestSameArchitectureIgnoresTheContext(t *testing.T) {
	t.Parallel()
	a, b := example(), example()
	b.Context = 99
	if !a.SameArchitecture(b) {
		t.Error("another context is another architecture")
	}
	b.FFN++
	if a.SameArchitecture(b) {
		t.Error("another width is the same architecture")
	}
}

func TestRopeTabulatesTheRotations(t *testing.T) {
	t.Parallel()
	r := NewRope(example(), 16)
	if r.Positions() != 16 || r.Half != 2 {
		t.Fatalf("%d positions of %d", r.Positions(), r.Half)
	}
	const p, i = 5, 1
	angle := p * math.Pow(10000, -2.0*i/4)
	at := p*r.Half + i
	if math.Abs(float64(r.Cos[at])-math.Cos(angle)) > 1e-7 || math.Abs(float64(r.Sin[at])-math.Sin(angle)) > 1e-7 || r.Neg[at] != -r.Sin[at] {
		t.Errorf("position %d: cos %g, sin %g, want %g and %g", p, r.Cos[at], r.Sin[at], math.Cos(angle), math.Sin(angle))
	}
}

// The frequencies are those that Hugging Face's transformers takes from the same configuration: testdata/rope.py wrote them, in
// float32.
func TestRopeFrequenciesAreHuggingFaces(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/rope.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		HeadDim     int         `json:"head_dim"`
		RopeTheta   float64     `json:"rope_theta"`
		RopeScaling RopeScaling `json:"rope_scaling"`
		Frequencies []float64
	}
	if err := json.Unmarshal(text, &cases); err != nil || len(cases) < 5 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for _, x := range cases {
		c := example()
		c.HeadDim, c.RopeTheta, c.RopeScaling = x.HeadDim, x.RopeTheta, x.RopeScaling
		if err := c.Validate(); err != nil {
			t.Fatal(err)
		}
		r := NewRope(c, 2)
		if len(x.Frequencies) != r.Half {
			t.Fatalf("%d frequencies of %d", len(x.Frequencies), r.Half)
		}
		for i, want := range x.Frequencies {
			if got := float64(r.Sin[r.Half+i]); math.Abs(got-math.Sin(want)) > 2e-6*math.Sin(want) {
				t.Errorf("%v: at position 1 element %d turns by %g, there by %g", c.RopeScaling, i, math.Asin(got), want)
			}
		}
	}
}
