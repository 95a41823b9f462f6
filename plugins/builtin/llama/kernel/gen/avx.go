package main

import (
	"bytes"
	"fmt"
	"math"
)

// assembler writes the routines of one of amd64's instruction sets. The lane mask lives in K1 or in the last Y register.
type assembler struct {
	listing
	reg    string            // letter of a vector register
	regs   int               // vector registers
	wide   bool              // AVX-512: mask registers
	consts map[string]uint32 // lane value of a constant, by name
	order  []string
}

func newAVX512() *assembler {
	set := listing{name: "avx512", width: 16, tileRows: 12}
	return &assembler{listing: set, reg: "Z", regs: 32, wide: true, consts: map[string]uint32{}}
}

func newAVX2() *assembler {
	set := listing{name: "avx2", width: 8, tileRows: 6}
	return &assembler{listing: set, reg: "Y", regs: 16, consts: map[string]uint32{}}
}

func (a *assembler) end() {
	a.op("VZEROUPPER")
	a.op("RET")
}

// v names a vector register; negative numbers count from the end.
func (a *assembler) v(i int) string {
	if i < 0 {
		i += a.regs
	}
	return fmt.Sprintf("%s%d", a.reg, i)
}

func (a *assembler) zero(r string) { a.op("VXORPS", r, r, r) }

// laneMask makes the mask for the first n lanes, 0 < n ≤ width; n is in CX and survives, AX does not.
func (a *assembler) laneMask(n, tmp string) {
	if a.wide {
		if n != "CX" {
			a.op("MOVQ", n, "CX")
		}
		a.op("MOVL", "$1", tmp)
		a.op("SHLL", "CX", tmp)
		a.op("DECL", tmp)
		a.op("KMOVW", tmp, "K1")
		return
	}
	// Eight words of ones, then eight of zeros: the mask starts n words before the zeros.
	a.op("LEAQ", "lanes<>+32(SB)", tmp)
	a.op("NEGQ", n)
	a.op("VMOVUPS", "("+tmp+")("+n+"*4)", a.v(-1))
	a.op("NEGQ", n)
}

// load and store move a vector, the last one of a slice under the lane mask: lanes outside are zero and untouched.
func (a *assembler) load(mem, r string, tail bool) {
	switch {
	case !tail:
		a.op("VMOVUPS", mem, r)
	case a.wide:
		a.op("VMOVUPS.Z", mem, "K1", r)
	default:
		a.op("VMASKMOVPS", mem, a.v(-1), r)
	}
}

func (a *assembler) store(r, mem string, tail bool) {
	switch {
	case !tail:
		a.op("VMOVUPS", r, mem)
	case a.wide:
		a.op("VMOVUPS", r, "K1", mem)
	default:
		a.op("VMASKMOVPS", r, a.v(-1), mem)
	}
}

// clearOutside zeroes the lanes outside the mask.
func (a *assembler) clearOutside(r string, tail bool) {
	switch {
	case !tail:
	case a.wide:
		a.op("VMOVAPS.Z", r, "K1", r)
	default:
		a.op("VANDPS", a.v(-1), r, r)
	}
}

// cst is a memory operand of a full vector of one float32.
func (a *assembler) cst(name string, value float32) string {
	return a.bits(name, math.Float32bits(value))
}

// bits is a memory operand of a full vector of one 32-bit word.
func (a *assembler) bits(name string, value uint32) string {
	if _, ok := a.consts[name]; !ok {
		a.consts[name] = value
		a.order = append(a.order, name)
	}
	return name + "<>(SB)"
}

// loop runs body over n (in CX) elements: AX is the byte offset of the vector at hand. The tail runs under the mask.
func (a *assembler) loop(body func(tail bool)) {
	again, tail, done := a.newLabel("loop"), a.newLabel("tail"), a.newLabel("done")
	a.op("XORQ", "AX", "AX")
	a.op("SUBQ", fmt.Sprintf("$%d", a.width), "CX")
	a.op("JLT", tail)
	a.label(again)
	body(false)
	a.op("ADDQ", fmt.Sprintf("$%d", 4*a.width), "AX")
	a.op("SUBQ", fmt.Sprintf("$%d", a.width), "CX")
	a.op("JGE", again)
	a.label(tail)
	a.op("ADDQ", fmt.Sprintf("$%d", a.width), "CX")
	a.op("JZ", done)
	a.laneMask("CX", "R15")
	body(true)
	a.label(done)
}

// sum adds the lanes of register 0 in a fixed order, using register 1; the result is in X0.
func (a *assembler) sum() { a.fold("VADDPS") }

// fold combines the lanes of register 0 pairwise, halves first.
func (a *assembler) fold(op string) {
	if a.wide {
		a.op("VEXTRACTF64X4", "$1", "Z0", "Y1")
		a.op(op, "Y1", "Y0", "Y0")
	}
	a.op("VEXTRACTF128", "$1", "Y0", "X1")
	a.op(op, "X1", "X0", "X0")
	a.op("VPERMILPS", "$0x4e", "X0", "X1")
	a.op(op, "X1", "X0", "X0")
	a.op("VPERMILPS", "$0xb1", "X0", "X1")
	a.op(op, "X1", "X0", "X0")
}

func (a *assembler) file() []byte {
	var b bytes.Buffer
	b.WriteString(header)
	b.WriteString("#include \"textflag.h\"\n")
	for _, name := range a.order {
		for i := range 16 {
			fmt.Fprintf(&b, "DATA %s<>+%d(SB)/4, $0x%08x\n", name, 4*i, a.consts[name])
		}
		fmt.Fprintf(&b, "GLOBL %s<>(SB), RODATA|NOPTR, $64\n", name)
	}
	for i := range 16 {
		fmt.Fprintf(&b, "DATA iota<>+%d(SB)/4, $%d\n", 4*i, i)
	}
	b.WriteString("GLOBL iota<>(SB), RODATA|NOPTR, $64\n")
	if !a.wide {
		for i := range 16 {
			word := uint32(0xffffffff)
			if i >= 8 {
				word = 0
			}
			fmt.Fprintf(&b, "DATA lanes<>+%d(SB)/4, $0x%08x\n", 4*i, word)
		}
		b.WriteString("GLOBL lanes<>(SB), RODATA|NOPTR, $64\n")
	}
	b.Write(a.text.Bytes())
	return b.Bytes()
}
