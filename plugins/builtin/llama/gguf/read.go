package gguf

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"

	"jupiter/plugins/builtin/llama/bpe"
	"jupiter/plugins/builtin/llama/half"
	"jupiter/plugins/builtin/llama/model"
)

// Read reads a model and its tokenizer. Matrices in other formats become the float32 numbers that they stand for.
func Read(path string) (*model.Weights, *bpe.Tokenizer, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("read %s: not a file", path)
	}
	w, t, err := Decode(f, st.Size())
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", path, err)
	}
	return w, t, nil
}

// DTypes lists the number formats of a file's tensors, that of most bytes first.
func DTypes(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	h, err := parse(f, st.Size())
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	share := map[string]uint64{}
	for _, t := range h.tensors {
		share[t.typ.String()] += t.bytes
	}
	names := slices.Sorted(maps.Keys(share))
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(share[b], share[a]) })
	return names, nil
}

// Decode reads a file of size bytes.
func Decode(r io.ReaderAt, size int64) (*model.Weights, *bpe.Tokenizer, error) {
	h, err := parse(r, size)
	if err != nil {
		return nil, nil, err
	}
	c, err := h.config()
	if err != nil {
		return nil, nil, err
	}
	if err := h.shapes(c); err != nil {
		return nil, nil, err
	}
	if err := h.rope(r, &c); err != nil {
		return nil, nil, err
	}
	t, err := h.tokenizer()
	if err != nil {
		return nil, nil, fmt.Errorf("tokenizer: %w", err)
	}
	if t.Size() != c.Vocab {
		return nil, nil, fmt.Errorf("the tokenizer has %d tokens, the model %d", t.Size(), c.Vocab)
	}
	w := model.New(c)
	in := bufio.NewReaderSize(nil, 1<<16)
	for _, x := range w.Tensors() {
		at := h.tensors[tensorName(x.Name)]
		in.Reset(io.NewSectionReader(r, int64(h.data+at.offset), int64(at.bytes)))
		if err := fill(in, at.typ, x, rotaryHeads(x.Name, c)); err != nil {
			return nil, nil, fmt.Errorf("tensor %q: %w", tensorName(x.Name), err)
		}
	}
	return w, t, nil
}

// expected lists the tensors of a model of shape c, under their names in memory.
func expected(c model.Config) map[string][]uint64 {
	d, kv, q, f, v := uint64(c.Dim), uint64(c.KVDim()), uint64(c.AttnDim()), uint64(c.FFN), uint64(c.Vocab)
	want := map[string][]uint64{"token_embd.weight": {v, d}, "output_norm.weight": {d}}
	if !c.Tied {
		want["output.weight"] = []uint64{v, d}
	}
	for i := range c.Layers {
		p := fmt.Sprintf("blk.%d.", i)
		want[p+"attn_norm.weight"] = []uint64{d}
		want[p+"attn_q.weight"] = []uint64{q, d}
		want[p+"attn_k.weight"] = []uint64{kv, d}
		want[p+"attn_v.weight"] = []uint64{kv, d}
		want[p+"attn_output.weight"] = []uint64{d, q}
		want[p+"ffn_norm.weight"] = []uint64{d}
		want[p+"ffn_gate.weight"] = []uint64{f, d}
		want[p+"ffn_up.weight"] = []uint64{f, d}
		want[p+"ffn_down.weight"] = []uint64{d, f}
	}
	return want
}

// fill reads one tensor into its place.
func fill(in io.Reader, typ Type, x model.Tensor, heads int) error {
	n := cols(x)
	rows := len(x.Data) / n
	place := make([]int, rows)
	reorder(rows, heads, func(dst, src int) { place[dst] = src })
	buf := make([]byte, typ.rowBytes(n))
	for _, to := range place {
		if _, err := io.ReadFull(in, buf); err != nil {
			return err
		}
		row := x.Data[to*n : (to+1)*n]
		widen(typ, buf, row)
		for _, v := range row {
			if v-v != 0 {
				return fmt.Errorf("it holds %v", v)
			}
		}
	}
	return nil
}

// widen gives the numbers of a row.
func widen(typ Type, buf []byte, row []float32) {
	switch typ {
	case F32:
		for i := range row {
			row[i] = math.Float32frombits(binary.LittleEndian.Uint32(buf[4*i:]))
		}
	case F16:
		for i := range row {
			row[i] = half.Float(binary.LittleEndian.Uint16(buf[2*i:]))
		}
	case BF16:
		for i := range row {
			row[i] = half.Brain(binary.LittleEndian.Uint16(buf[2*i:]))
		}
	default:
		f := formats[typ]
		for ; len(row) > 0; row, buf = row[f.numbers:], buf[f.bytes:] {
			unpack(typ, buf[:f.bytes], row[:f.numbers])
		}
	}
}
