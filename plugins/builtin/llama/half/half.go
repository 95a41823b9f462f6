// Package half converts the two 16-bit number formats that models are stored in: IEEE 754 binary16 (F16) and bfloat16
// (BF16). Widening is exact.
package half

import "math"

// Round rounds to the nearest IEEE 754 binary16 number, ties to even. What is too large becomes infinite.
func Round(f float32) uint16 {
	b := math.Float32bits(f)
	sign := uint16(b >> 16 & 0x8000)
	switch a := b & 0x7fffffff; {
	case a > 0x7f800000: // NaN: keep it quiet
		return sign | 0x7e00
	case a >= 0x477ff000: // from halfway between the largest half and its successor
		return sign | 0x7c00
	case a >= 0x38800000: // normal: rebias the exponent from 127 to 15, round off 13 bits
		a -= (127 - 15) << 23
		return sign | uint16((a+0xfff+a>>13&1)>>13)
	case a > 0x33000000: // subnormal: multiples of 2^-24
		e := a >> 23
		m := a&0x7fffff | 0x800000
		shift := 126 - e
		return sign | uint16((m+1<<(shift-1)-1+m>>shift&1)>>shift)
	}
	return sign
}

// Float widens a binary16 number.
func Float(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	e, m := uint32(h>>10&0x1f), uint32(h&0x3ff)
	switch {
	case e == 0x1f:
		return math.Float32frombits(sign | 0x7f800000 | m<<13)
	case e > 0:
		return math.Float32frombits(sign | (e+127-15)<<23 | m<<13)
	}
	f := float32(m) * 0x1p-24
	return math.Float32frombits(sign | math.Float32bits(f))
}

// Brain widens a bfloat16, which is the upper half of a float32.
func Brain(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }

// RoundBrain rounds to the nearest bfloat16, ties to even. What is too large becomes infinite.
func RoundBrain(f float32) uint16 {
	b := math.Float32bits(f)
	if f != f {
		return uint16(b>>16) | 0x40 // NaN: keep it quiet, and from becoming infinite
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}
