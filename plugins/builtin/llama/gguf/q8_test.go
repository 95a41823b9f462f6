package gguf

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"testing"

	"jupiter/plugins/builtin/llama/bpe"
	"jupiter/plugins/builtin/llama/half"
	"jupiter/plugins/builtin/llama/model"
)

// encodeQ8 writes a file whose matrices are Q8_0, as llama.cpp's quantiser makes them: the scale of a block is its largest
// magnitude over 127. It sets w to the numbers that the file stands for.
func encodeQ8(t *testing.T, w *model.Weights, tok *bpe.Tokenizer) []byte {
	t.Helper()
	var out bytes.Buffer
	e := &encoder{w: bufio.NewWriter(&out)}
	keys, tensors := metadata(w.Config, tok.Vocabulary(), tok, Options{}), w.Tensors()
	e.raw([]byte(magic))
	e.u32(version)
	e.u64(uint64(len(tensors)))
	e.u64(uint64(len(keys)))
	for _, k := range keys {
		e.key(k)
	}
	var offset uint64
	for _, x := range tensors {
		typ := tensorType(x, Q8)
		e.str(tensorName(x.Name))
		e.u32(uint32(len(x.Shape)))
		for i := range x.Shape {
			e.u64(uint64(x.Shape[len(x.Shape)-1-i]))
		}
		e.u32(uint32(typ))
		e.u64(offset)
		offset = padded(offset + uint64(typ.rowBytes(len(x.Data))))
	}
	for _, x := range tensors {
		e.pad()
		if len(x.Shape) < 2 {
			e.tensor(x, F32, 0)
			continue
		}
		cols := x.Shape[1]
		source := make([]int, x.Shape[0])
		reorder(len(source), rotaryHeads(x.Name, w.Config), func(dst, src int) { source[dst] = src })
		for _, r := range source {
			for block := range slices.Chunk(x.Data[r*cols:(r+1)*cols], q8Block) {
				var top float64
				for _, v := range block {
					top = max(top, math.Abs(float64(v)))
				}
				h := half.Round(float32(top / 127))
				scale := half.Float(h)
				e.raw(binary.LittleEndian.AppendUint16(nil, h))
				for i, v := range block {
					q := int8(math.Round(float64(v / scale)))
					e.raw([]byte{byte(q)})
					block[i] = scale * float32(q)
				}
			}
		}
	}
	if err := e.w.Flush(); err != nil || e.err != nil {
		t.Fatal(err, e.err)
	}
	return out.Bytes()
}

// Q8_0 is read as exactly the numbers that its blocks stand for.
func TestReadQ8(t *testing.T) {
	t.Parallel()
	tok := tokenizer(t)
	w := model.New(model.Config{Vocab: tok.Size(), Dim: 32, Layers: 1, Heads: 2, KVHeads: 1, HeadDim: 16, FFN: 64, Context: 64, RopeTheta: 1e4, NormEps: 1e-5, Tied: true})
	w.Init(3)
	data := encodeQ8(t, w, tok)
	back, _, err := decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(w.Flat, back.Flat) {
		t.Error("other numbers came back")
	}
	if _, _, err := decode(data[:len(data)-40]); err == nil {
		t.Error("a file that is cut short was read")
	}
}
