package gguf

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jupiter/plugins/builtin/llama/half"
)

// packed are the formats of blocks.
var packed = []Type{Q8, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K}

// bitsAt gives n bits of b from a bit on, counted from the lowest of the first byte.
func bitsAt(b []byte, from, n int) (v int) {
	for i := range n {
		at := from + i
		v |= int(b[at/8]>>(at%8)&1) << i
	}
	return v
}

// number is number i of a block by itself, bit by bit, in float32 as the formula of its format has it.
func number(typ Type, b []byte, i int) float32 {
	d := half.Float(uint16(bitsAt(b, 0, 16)))
	m := half.Float(uint16(bitsAt(b, 16, 16)))
	nibble := func(start, bytes int) int { // of 2·bytes numbers: the first half low, the second high
		n := i % (2 * bytes)
		return bitsAt(b, 8*(start+i/(2*bytes)*bytes+n%bytes)+n/bytes*4, 4)
	}
	// The two factors of q4_k and q5_k: of each group six bits, in the order that the twelve bytes have them.
	factors := func() (int, int) {
		g := i / 32
		if g < 4 {
			return bitsAt(b, 8*(4+g), 6), bitsAt(b, 8*(8+g), 6)
		}
		return bitsAt(b, 8*(8+g), 4) + 16*bitsAt(b, 8*g+6, 2), bitsAt(b, 8*(8+g)+4, 4) + 16*bitsAt(b, 8*(4+g)+6, 2)
	}
	times := func(x, y float32) float32 { return x * y } // a product of its own, rounded
	switch typ {
	case Q8:
		return times(d, float32(int8(bitsAt(b, 16+8*i, 8))))
	case Q4_0:
		return times(d, float32(nibble(2, 16)-8))
	case Q4_1:
		return times(d, float32(nibble(4, 16))) + m
	case Q5_0:
		return times(d, float32(nibble(6, 16)+16*bitsAt(b, 16+i, 1)-16))
	case Q5_1:
		return times(d, float32(nibble(8, 16)+16*bitsAt(b, 32+i, 1))) + m
	case Q4_K:
		a, c := factors()
		return times(times(d, float32(a)), float32(nibble(16, 32))) - times(m, float32(c))
	case Q5_K:
		a, c := factors()
		return times(times(d, float32(a)), float32(nibble(48, 32)+16*bitsAt(b, 8*(16+i%32)+i/32, 1))) - times(m, float32(c))
	case Q6_K:
		d = half.Float(uint16(bitsAt(b, 8*208, 16)))
		q := nibble(0, 64) + 16*bitsAt(b, 8*(128+i/128*32+i%32)+2*(i/32%4), 2)
		return times(times(d, float32(int8(bitsAt(b, 8*(192+i/16), 8)))), float32(q-32))
	}
	panic("no such format")
}

// Every number of a block is the one that its own bits say.
func TestBlocksAreTheirBits(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	for _, typ := range packed {
		f := formats[typ]
		b, row := make([]byte, f.bytes), make([]float32, f.numbers)
		for range 200 {
			for i := range b {
				b[i] = byte(r.Uint32())
			}
			for _, at := range []int{0, 2, int(f.bytes) - 2} { // scales are no larger than two
				b[at+1] &^= 0x40
			}
			unpack(typ, b, row)
			for i, got := range row {
				if want := number(typ, b, i); got != want {
					t.Fatalf("%v: number %d is %g, its bits say %g", typ, i, got, want)
				}
			}
		}
	}
}

// What llama-quantize wrote is to this reader what it is to another: testdata/blocks.py says how the file was made.
func TestBlocksAreHuggingFaces(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("testdata", "blocks.json"))
	if err != nil {
		t.Fatal(err)
	}
	var stored map[string]struct{ Bytes, Numbers []byte }
	if err := json.Unmarshal(text, &stored); err != nil {
		t.Fatal(err)
	}
	for _, typ := range packed {
		s := stored[strings.ToUpper(typ.String())]
		row := make([]float32, len(s.Numbers)/4)
		if len(row) != 1024 || len(s.Bytes) != typ.rowBytes(len(row)) {
			t.Errorf("%v: %d bytes for %d numbers", typ, len(s.Bytes), len(row))
			continue
		}
		widen(typ, s.Bytes, row)
		for i, got := range row {
			if want := math.Float32frombits(binary.LittleEndian.Uint32(s.Numbers[4*i:])); got != want {
				t.Fatalf("%v: number %d is %g, not %g", typ, i, got, want)
			}
		}
	}
}

// A scale that is no number makes none, and is refused where the tensor is read.
func TestBlocksOfNoNumber(t *testing.T) {
	t.Parallel()
	for _, typ := range packed {
		b := make([]byte, formats[typ].bytes)
		for i := range b {
			b[i] = 0x7e // of a half, a NaN
		}
		row := make([]float32, formats[typ].numbers)
		unpack(typ, b, row)
		for i, v := range row {
			if v == v {
				t.Fatalf("%v: number %d is %g", typ, i, v)
			}
		}
	}
}
