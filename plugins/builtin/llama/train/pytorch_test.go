package train

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"jupiter/plugins/builtin/llama/model"
)

// pytorch is testdata/reference.json, which testdata/reference.py writes.
type pytorch struct {
	Torch             string
	Rate, Decay, Clip float64
	Cases             []struct {
		Name                           string
		Vocab, Dim, Layers, Heads, FFN int
		KVHeads                        int `json:"kv_heads"`
		HeadDim                        int `json:"head_dim"`
		Tied                           bool
		RopeScaling                    model.RopeScaling `json:"rope_scaling"`
		Loss                           float64
		Gradient, Losses               []float64
	}
}

// formula sets parameters as reference.py does.
func formula(w *model.Weights) {
	for _, p := range w.Params() {
		for i := range p.Data {
			p.Data[i] = float32(uint32(p.Offset+i)*2654435761>>16)/65536 - 0.5
			if len(p.Shape) == 1 {
				p.Data[i]++
			}
		}
	}
}

// formulaSequences are those of reference.py.
func formulaSequences(vocab int) []Sequence {
	var all []Sequence
	for s, n := range []int{8, 3, 12} {
		var q Sequence
		for j := range n {
			q.Tokens = append(q.Tokens, int32((5*j+3*s*j*j+s)%vocab))
			q.Weights = append(q.Weights, []float32{1, 0.25, 0, 1}[(j+s)%4])
		}
		all = append(all, q)
	}
	return all
}

// TestPyTorch: from the same parameters the loss, the gradient of every parameter and the losses of ten updates are
// PyTorch's.
func TestPyTorch(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var ref pytorch
	if err := json.Unmarshal(b, &ref); err != nil || len(ref.Cases) == 0 {
		t.Fatal(err)
	}
	for _, c := range ref.Cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			w := model.New(model.Config{Vocab: c.Vocab, Dim: c.Dim, Layers: c.Layers, Heads: c.Heads, KVHeads: c.KVHeads, HeadDim: c.HeadDim, FFN: c.FFN,
				Context: 16, RopeTheta: 10000, NormEps: 1e-5, Tied: c.Tied, RopeScaling: c.RopeScaling})
			formula(w)
			seqs := formulaSequences(c.Vocab)
			o := Options{Threads: 2, WeightDecay: ref.Decay, Beta1: 0.9, Beta2: 0.95, Clip: ref.Clip, OneRate: true}
			tr := trainer(t, w, nil, o)
			loss, _, err := tr.gradients(seqs)
			if err != nil {
				t.Fatal(err)
			}
			near(t, "loss", loss, c.Loss, 2e-6)
			if len(c.Gradient) != len(w.Flat) {
				t.Fatalf("%d gradients for %d parameters", len(c.Gradient), len(w.Flat))
			}
			for _, p := range w.Params() {
				size := 0.0 // of the parameter's gradient: what rounding is a share of
				for _, g := range c.Gradient[p.Offset:][:len(p.Data)] {
					size = max(size, math.Abs(g))
				}
				for i, g := range c.Gradient[p.Offset:][:len(p.Data)] {
					if got := float64(tr.grads[p.Offset+i]); !(math.Abs(got-g) <= 5e-5*size) {
						t.Fatalf("gradient %d of %s is %g, PyTorch's is %g", i, p.Name, got, g)
					}
				}
			}
			for i, want := range c.Losses {
				near(t, "loss of a step", step(t, tr, seqs, ref.Rate).Loss, want, 2e-5)
				if t.Failed() {
					t.Fatalf("from step %d on", i)
				}
			}
		})
	}
}

func near(t *testing.T, what string, got, want, share float64) {
	t.Helper()
	if !(math.Abs(got-want) <= share*math.Abs(want)) {
		t.Errorf("%s is %.9g, PyTorch's is %.9g", what, got, want)
	}
}
