package gguf

import (
	"encoding/binary"

	"jupiter/plugins/builtin/llama/half"
)

// The quantised formats that are read, as ggml lays them out. A block holds 32 numbers, or 256 in the formats named K. Each
// number is a few bits q; half is an F16; where a byte holds two numbers, the lower four bits are the earlier one.
//
//	q4_0  d half, q 16 bytes                              d·(q−8)       byte j: numbers j and j+16
//	q4_1  d half, m half, q 16 bytes                      d·q + m
//	q5_0  d half, 32 fifth bits u32, q 16 bytes           d·(q−16)
//	q5_1  d half, m half, 32 fifth bits u32, q 16 bytes   d·q + m
//	q8_0  d half, q 32 signed bytes                       d·q
//	q4_k  d half, m half, 12 bytes, q 128 bytes           d·a·q − m·b   a, b of six bits for each 32 numbers
//	q5_k  d half, m half, 12 bytes, 32 bytes of fifth bits, q 128 bytes
//	q6_k  q 128 bytes, 64 bytes of fifth and sixth bits, a 16 signed bytes, d half: d·a·(q−32), a for each 16 numbers
//
// The products are rounded one by one, as ggml's are: both then give the same numbers on every machine.

const (
	q8Block = 32
	kBlock  = 256
)

func scale(b []byte) float32 { return half.Float(binary.LittleEndian.Uint16(b)) }

// unpack gives the numbers of one block; row has as many as the format's block.
func unpack(typ Type, b []byte, row []float32) {
	switch typ {
	case Q8:
		d := scale(b)
		for i := range row {
			row[i] = d * float32(int8(b[2+i]))
		}
	case Q4_0:
		unpack4(scale(b), 0, 8, 0, b[2:], row)
	case Q4_1:
		unpack4(scale(b), scale(b[2:]), 0, 0, b[4:], row)
	case Q5_0:
		unpack4(scale(b), 0, 16, binary.LittleEndian.Uint32(b[2:]), b[6:], row)
	case Q5_1:
		unpack4(scale(b), scale(b[2:]), 0, binary.LittleEndian.Uint32(b[4:]), b[8:], row)
	case Q4_K:
		unpackK(b, nil, b[16:], row)
	case Q5_K:
		unpackK(b, b[16:48], b[48:], row)
	case Q6_K:
		unpack6(b, row)
	}
}

// unpack4 gives d·(q−zero) + m, where bit i of fifth is the fifth bit of number i.
func unpack4(d, m float32, zero int, fifth uint32, q []byte, row []float32) {
	for j := range 16 {
		lo := int(q[j]&15) | int(fifth>>j&1)<<4
		hi := int(q[j]>>4) | int(fifth>>(j+16)&1)<<4
		row[j] = float32(d*float32(lo-zero)) + m
		row[j+16] = float32(d*float32(hi-zero)) + m
	}
}

// unpackK gives q4_k, and q5_k where there are fifth bits: bit g of byte l is that of number 32·g + l.
func unpackK(b, fifth, q []byte, row []float32) {
	d, m := scale(b), scale(b[2:])
	for g := range 8 { // of 32 numbers
		a, c := sixBits(b[4:16], g)
		by, less := d*float32(a), m*float32(c)
		for l := range 32 {
			v := q[g/2*32+l] >> (g % 2 * 4) & 15
			if fifth != nil {
				v |= fifth[l] >> g & 1 << 4
			}
			row[32*g+l] = float32(by*float32(v)) - less
		}
	}
}

// sixBits gives the two factors of group g from twelve bytes: those of groups 0 to 3 are the lower six bits of a byte each,
// those of 4 to 7 have four bits in the last four bytes and two at the top of the earlier ones.
func sixBits(b []byte, g int) (a, c byte) {
	if g < 4 {
		return b[g] & 63, b[g+4] & 63
	}
	return b[g+4]&15 | b[g-4]>>6<<4, b[g+4]>>4 | b[g]>>6<<4
}

func unpack6(b []byte, row []float32) {
	d := scale(b[208:])
	for i := range row {
		h, g, l := i/128, i/32%4, i%32 // of 128 numbers, of 32 in it, of one in that
		q := b[64*h+g%2*32+l] >> (g / 2 * 4) & 15
		q |= b[128+32*h+l] >> (2 * g) & 3 << 4
		a := int8(b[192+i/16])
		row[i] = float32(d*float32(a)) * float32(int(q)-32)
	}
}
