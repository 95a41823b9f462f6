package main

import "fmt"

// words are the vector instructions that Go's assembler has no mnemonic for, named as it would name them, with all
// registers zero (Arm Architecture Reference Manual, C7). The three registers lie at fixed places in each.
var words = map[string]uint32{
	"VFADD":   0x4e20d400,
	"VFSUB":   0x4ea0d400,
	"VFMUL":   0x6e20dc00,
	"VFDIV":   0x6e20fc00,
	"VFMAX":   0x4e20f400,
	"VFMIN":   0x4ea0f400,
	"VFADDP":  0x6e20d400,
	"VFMAXP":  0x6e20f400,
	"VFCMGT":  0x6ea0e400,
	"VCMGT":   0x4ea03400, // signed
	"VMUL":    0x4ea09c00,
	"VBIC":    0x4e601c00,
	"VFMLAE0": 0x4f801000, // VFMLA by element 0 of the first operand
	"VFNEG":   0x6ea0f800,
	"VFSQRT":  0x6ea1f800,
	"VFRINTN": 0x4e218800, // to an integer, ties to even
	"VFCVTNS": 0x4e21a800, // the same, as a signed word
}

// encode gives the word of an instruction on two or three registers, in Go's order: destination last.
func encode(mnemonic string, regs ...vreg) (word uint32, ok bool) {
	word, ok = words[mnemonic]
	if !ok {
		return 0, false
	}
	for _, r := range regs {
		if r < 0 || r > 31 {
			panic(fmt.Sprintf("%s of register %d", mnemonic, r))
		}
	}
	d, n := regs[len(regs)-1], regs[len(regs)-2]
	word |= uint32(d) | uint32(n)<<5
	if len(regs) == 3 {
		word |= uint32(regs[0]) << 16
	}
	return word, true
}
