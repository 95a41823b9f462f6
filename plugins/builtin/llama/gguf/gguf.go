// Package gguf writes and reads a Llama model with its tokenizer as one GGUF file (version 3), the format of llama.cpp
// and Ollama.
//
// The file, all numbers little-endian:
//
//	"GGUF"  version u32  number of tensors u64  number of keys u64
//	keys     name, type u32, value            a string is its length u64 and its bytes; an array is the type of its
//	                                          elements u32, their number u64, and they
//	tensors  name, number of dimensions u32, dimensions u64 (fastest first), type u32, offset u64
//	padding to a multiple of the alignment (32)
//	data     each tensor at its offset, which counts from here and is a multiple of the alignment
//
// Two things differ from the layout in memory, which is Hugging Face's. Matrices are the same row-major numbers, but
// their dimensions are named in the other order. And llama.cpp rotates neighbouring pairs of a head's elements where
// Hugging Face's convention rotates element i with element i + half: so the rows of q and k are reordered head by head,
// new row 2i+j = old row j·half+i. Without that reordering a model loads, runs and writes nonsense.
//
// Reading trusts nothing: every count, size and offset is checked against the file's length before memory is taken for
// it, tensors may not overlap, and what this engine cannot compute (other scaled rotary embeddings, mixtures of experts, another
// tokenizer) is refused by name rather than read approximately. Of the quantised formats those that most files from elsewhere have
// are read, as the numbers that they stand for, and Q8_0 is written.
package gguf

import (
	"fmt"
	"math/bits"
)

const (
	magic     = "GGUF"
	version   = 3
	alignment = 32
)

// Type is the number format of a tensor, by GGUF's number.
type Type uint32

// Number formats that this package reads. F32, F16, BF16 and Q8 are written too.
const (
	F32  Type = 0
	F16  Type = 1
	Q4_0 Type = 2
	Q4_1 Type = 3
	Q5_0 Type = 6
	Q5_1 Type = 7
	Q8   Type = 8 // Q8_0: blocks of 32 numbers of a row, a scale (F16) and 32 signed bytes
	Q4_K Type = 12
	Q5_K Type = 13
	Q6_K Type = 14
	BF16 Type = 30
)

// format is the unit in which a format stores a row: so many numbers in so many bytes.
type format struct {
	name           string
	numbers, bytes uint64
}

// formats are those that are read; blocks.go draws the quantised ones.
var formats = map[Type]format{
	F32: {"f32", 1, 4}, F16: {"f16", 1, 2}, BF16: {"bf16", 1, 2}, Q8: {"q8_0", q8Block, 2 + q8Block},
	Q4_0: {"q4_0", 32, 18}, Q4_1: {"q4_1", 32, 20}, Q5_0: {"q5_0", 32, 22}, Q5_1: {"q5_1", 32, 24},
	Q4_K: {"q4_k", kBlock, 144}, Q5_K: {"q5_k", kBlock, 176}, Q6_K: {"q6_k", kBlock, 210},
}

// others names formats that people meet in files from elsewhere, for the message that refuses them.
var others = map[Type]string{
	10: "q2_k", 11: "q3_k", 16: "iq2_xxs", 17: "iq2_xs", 18: "iq3_xxs", 19: "iq1_s", 20: "iq4_nl", 21: "iq3_s", 22: "iq2_s", 23: "iq4_xs", 29: "iq1_m",
	34: "tq1_0", 35: "tq2_0", 39: "mxfp4",
}

func (t Type) String() string {
	if f, ok := formats[t]; ok {
		return f.name
	}
	if n, ok := others[t]; ok {
		return n
	}
	return fmt.Sprintf("type %d", uint32(t))
}

// Size is how many bytes a number of a matrix takes, on average.
func (t Type) Size() float64 {
	f := formats[t]
	return float64(f.bytes) / float64(max(1, f.numbers))
}

// rowBytes is how many bytes n numbers of a row take. A row is a whole number of blocks.
func (t Type) rowBytes(n int) int {
	f := formats[t]
	return n / int(f.numbers) * int(f.bytes)
}

// Types of values.
const (
	kindU8 uint32 = iota
	kindI8
	kindU16
	kindI16
	kindU32
	kindI32
	kindF32
	kindBool
	kindString
	kindArray
	kindU64
	kindI64
	kindF64
)

// kindSize is the least number of bytes that a value of a kind takes; 0 for an unknown kind.
func kindSize(kind uint32) uint64 {
	switch kind {
	case kindU8, kindI8, kindBool:
		return 1
	case kindU16, kindI16:
		return 2
	case kindU32, kindI32, kindF32:
		return 4
	case kindU64, kindI64, kindF64, kindString:
		return 8
	case kindArray:
		return 12
	}
	return 0
}

// product multiplies, or reports that the result does not fit.
func product(dims ...uint64) (uint64, bool) {
	n := uint64(1)
	for _, d := range dims {
		hi, lo := bits.Mul64(n, d)
		if hi != 0 {
			return 0, false
		}
		n = lo
	}
	return n, true
}
