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
// it, tensors may not overlap, and what this engine cannot compute (scaled rotary embeddings, mixtures of experts, another
// tokenizer) is refused by name rather than read approximately. Of the quantised formats Q8_0 is read, as the numbers that
// it stands for, and written.
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

// Number formats that this package reads and writes.
const (
	F32  Type = 0
	F16  Type = 1
	Q8   Type = 8 // Q8_0: blocks of 32 numbers of a row, a scale (F16) and 32 signed bytes
	BF16 Type = 30
)

func (t Type) String() string {
	switch t {
	case F32:
		return "f32"
	case F16:
		return "f16"
	case Q8:
		return "q8_0"
	case BF16:
		return "bf16"
	}
	if n, ok := quantised[t]; ok {
		return n
	}
	return fmt.Sprintf("type %d", uint32(t))
}

// quantised names the formats that people meet in files from elsewhere, for the message that refuses them.
var quantised = map[Type]string{
	2: "q4_0", 3: "q4_1", 6: "q5_0", 7: "q5_1", 10: "q2_k", 11: "q3_k", 12: "q4_k", 13: "q5_k", 14: "q6_k", 20: "iq4_nl", 23: "iq4_xs",
}

// block is the unit in which a format stores a row: so many numbers in so many bytes; 0 for a format that is not read.
func (t Type) block() (numbers, bytes uint64) {
	switch t {
	case F32:
		return 1, 4
	case F16, BF16:
		return 1, 2
	case Q8:
		return q8Block, 2 + q8Block
	}
	return 0, 0
}

const q8Block = 32

// Size is how many bytes a number of a matrix takes, on average.
func (t Type) Size() float64 {
	numbers, bytes := t.block()
	return float64(bytes) / float64(max(1, numbers))
}

// rowBytes is how many bytes n numbers of a row take. A row is a whole number of blocks.
func (t Type) rowBytes(n int) int {
	numbers, bytes := t.block()
	return n / int(numbers) * int(bytes)
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
