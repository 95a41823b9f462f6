package gguf

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"

	"jupiter/plugins/builtin/llama/half"
	"jupiter/plugins/builtin/llama/model"
)

// wide is a model whose rows are whole blocks of Q8_0, but for those of the last feed-forward matrix.
func wide(t *testing.T, ffn int) *model.Weights {
	t.Helper()
	w := model.New(model.Config{Vocab: tokenizer(t).Size(), Dim: 32, Layers: 1, Heads: 2, KVHeads: 1, HeadDim: 16, FFN: ffn, Context: 64, RopeTheta: 1e4, NormEps: 1e-5, Tied: true})
	w.Init(3)
	return w
}

// A block is a scale and 32 whole numbers: what is read is within half a scale of what was written, and written again it is
// the same file.
func TestQ8RoundTrip(t *testing.T) {
	t.Parallel()
	tok, w := tokenizer(t), wide(t, 64)
	copy(w.Layers[0].O[:q8Block], make([]float32, q8Block)) // a block of zeros
	data := encode(t, w, tok, Q8)
	back, _, err := decode(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range w.Tensors() {
		i := slices.IndexFunc(back.Tensors(), func(y model.Tensor) bool { return y.Name == x.Name })
		got := back.Tensors()[i].Data
		if len(x.Shape) < 2 {
			if !slices.Equal(got, x.Data) {
				t.Errorf("%s is not stored exactly", x.Name)
			}
			continue
		}
		for at := 0; at < len(got); at += q8Block {
			var most float64
			for _, v := range x.Data[at : at+q8Block] {
				most = max(most, math.Abs(float64(v)))
			}
			// Half a step, and the largest number's share of what the scale loses as an F16.
			bound := most/127/2 + most*0x1p-11 + 127*0x1p-25
			for k := at; k < at+q8Block; k++ {
				if d := math.Abs(float64(got[k] - x.Data[k])); d > bound {
					t.Fatalf("%s, number %d: %g came back as %g", x.Name, k, x.Data[k], got[k])
				}
			}
		}
	}
	if !bytes.Equal(data, encode(t, back, tok, Q8)) {
		t.Error("written, read and written again: other bytes")
	}
	if _, _, err := decode(data[:len(data)-40]); err == nil {
		t.Error("a file that is cut short was read")
	}
}

func TestQ8Block(t *testing.T) {
	t.Parallel()
	block := make([]float32, q8Block)
	block[3], block[7], block[8] = -254, 127, 1
	got, bad := q8(block, nil)
	want := binary.LittleEndian.AppendUint16(nil, half.Round(2))
	want = append(want, make([]byte, q8Block)...)
	want[2+3], want[2+7], want[2+8] = 0x81, 64, 1 // −127; 63.5 and 0.5 away from zero
	if bad != 0 || !bytes.Equal(got, want) {
		t.Errorf("got %v and %g, want %v", got, bad, want)
	}
	tiny := make([]float32, q8Block)
	tiny[0] = 1e-40 // its scale has no F16, and the inverse no float32
	if got, bad := q8(tiny, nil); bad != 0 || !bytes.Equal(got, make([]byte, 2+q8Block)) {
		t.Errorf("a block of next to nothing is %v, %g", got, bad)
	}
	block[0] = 1e7
	if _, bad := q8(block, nil); bad != 1e7 {
		t.Errorf("%g is beyond a scale", bad)
	}
}

// A matrix whose rows are no whole blocks stays F16, and the file says so.
func TestQ8KeepsOddRows(t *testing.T) {
	t.Parallel()
	w := wide(t, 40)
	data := encode(t, w, tokenizer(t), Q8)
	h, err := parse(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range h.tensors {
		want := Q8
		switch {
		case strings.HasSuffix(name, "norm.weight"):
			want = F32
		case name == "blk.0.ffn_down.weight":
			want = F16
		}
		if x.typ != want {
			t.Errorf("%s is %v, want %v", name, x.typ, want)
		}
	}
	if _, _, err := decode(data); err != nil {
		t.Error(err)
	}
}
