package infer

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"jupiter/plugins/builtin/llama/model"
)

// TestPyTorchLogits: from the same parameters and tokens the logits are PyTorch's, as train/testdata/reference.py has them.
func TestPyTorchLogits(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../train/testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var ref struct {
		Cases []struct {
			Name                           string
			Vocab, Dim, Layers, Heads, FFN int
			KVHeads                        int `json:"kv_heads"`
			HeadDim                        int `json:"head_dim"`
			Tied                           bool
			RopeScaling                    model.RopeScaling `json:"rope_scaling"`
			Logits                         []float64
		}
	}
	if err := json.Unmarshal(b, &ref); err != nil || len(ref.Cases) == 0 {
		t.Fatal(err)
	}
	for _, c := range ref.Cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			w := model.New(model.Config{Vocab: c.Vocab, Dim: c.Dim, Layers: c.Layers, Heads: c.Heads, KVHeads: c.KVHeads, HeadDim: c.HeadDim, FFN: c.FFN,
				Context: 16, RopeTheta: 10000, NormEps: 1e-5, Tied: c.Tied, RopeScaling: c.RopeScaling})
			for _, p := range w.Params() {
				for i := range p.Data {
					p.Data[i] = float32(uint32(p.Offset+i)*2654435761>>16)/65536 - 0.5
					if len(p.Shape) == 1 {
						p.Data[i]++
					}
				}
			}
			var ids []int32
			for j := range 11 {
				ids = append(ids, int32((5*j+6*j*j+2)%c.Vocab))
			}
			r := runner{Model: prepare(w)}
			cache := newCache(w.Config)
			cache.reserve(len(ids), w.Context)
			r.pass([]span{{cache, ids}})
			rows := make([]int, len(ids))
			for i := range rows {
				rows[i] = i
			}
			got := r.logits(rows)
			if len(got) != len(c.Logits) {
				t.Fatalf("%d logits, PyTorch has %d", len(got), len(c.Logits))
			}
			for i, want := range c.Logits {
				if !(math.Abs(float64(got[i])-want) <= 2e-5) {
					t.Fatalf("logit %d after token %d is %g, PyTorch's is %g", i%c.Vocab, i/c.Vocab, got[i], want)
				}
			}
		})
	}
}
