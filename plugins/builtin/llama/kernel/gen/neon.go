package main

import (
	"bytes"
	"fmt"
	"math"
	"strings"
)

// vreg is one of the 32 vector registers. A method spells it as Go's assembler wants it in one place or another.
type vreg int

func (v vreg) s4() string        { return fmt.Sprintf("V%d.S4", v) }
func (v vreg) d2() string        { return fmt.Sprintf("V%d.D2", v) }
func (v vreg) b16() string       { return fmt.Sprintf("V%d.B16", v) }
func (v vreg) lane(i int) string { return fmt.Sprintf("V%d.S[%d]", v, i) }
func (v vreg) f() string         { return fmt.Sprintf("F%d", v) }

// list is count registers from v on, as an operand of loads and stores.
func (v vreg) list(count int) string {
	var regs []string
	for i := range count {
		regs = append(regs, (v + vreg(i)).s4())
	}
	return "[" + strings.Join(regs, ", ") + "]"
}

// neon writes the routines of arm64's Advanced SIMD.
//
// NEON has no masked moves. The tail of a slice, fewer than four numbers, is read lane by lane: lane j from number j, or
// from the last one where there are fewer; lane 3 holds number 0. So dead lanes repeat live ones. It is written lane by
// lane too, the highest first, so that a live lane goes over what a dead one left in its place. Both need no branch, and
// nothing outside the slice.
type neon struct {
	listing
	tail bool // the body at hand is the tail's
	free vreg // registers from here on hold constants and scalars; below are the temporaries
	ret  int  // the offset of the routine's result
}

func newNEON() *neon {
	return &neon{listing: listing{name: "neon", width: 4, tileRows: 12}}
}

// General registers of vector routines; their pointers are pointerRegsNEON.
const (
	regCount   = "R0" // numbers left
	regOffset1 = "R9" // of the tail's lane 1, in bytes
	regOffset2 = "R10"
	regLane1   = "R7" // address of the tail's lane 1
	regLane2   = "R8"
	regScratch = "R11"
)

// s4 writes an instruction on vectors of four words, in Go's order: destination last.
func (a *neon) s4(mnemonic string, regs ...vreg) { a.vector(mnemonic, vreg.s4, regs) }

// b16 writes a bitwise instruction on whole vectors.
func (a *neon) b16(mnemonic string, regs ...vreg) { a.vector(mnemonic, vreg.b16, regs) }

func (a *neon) vector(mnemonic string, spell func(vreg) string, regs []vreg) {
	var operands []string
	for _, r := range regs {
		operands = append(operands, spell(r))
	}
	if word, ok := encode(mnemonic, regs...); ok {
		fmt.Fprintf(&a.text, "\tWORD $0x%08x // %s %s\n", word, mnemonic, strings.Join(operands, ", "))
		return
	}
	a.op(mnemonic, operands...)
}

func (a *neon) zero(v vreg) { a.op("VMOVI", "$0", v.b16()) }

// get loads a parameter that begin gave the offset of.
func (a *neon) get(mnemonic, name string, at map[string]int, reg string) {
	a.op(mnemonic, fmt.Sprintf("%s+%d(FP)", name, at[name]), reg)
}

// keep takes a register for what lives as long as the routine.
func (a *neon) keep() vreg {
	a.free--
	if a.free < 8 {
		panic("V0 to V7 are for temporaries")
	}
	return a.free
}

// bits gives a register whose lanes all hold the word, loaded here.
func (a *neon) bits(word uint32) vreg {
	v := a.keep()
	a.op("MOVD", fmt.Sprintf("$0x%08x", word), regScratch)
	a.op("VDUP", regScratch, v.s4())
	return v
}

func (a *neon) constant(value float32) vreg { return a.bits(math.Float32bits(value)) }

// iota puts 0, 1, 2, 3 into the lanes of v.
func (a *neon) iota(v vreg) {
	for i, word := range []string{"$0x0000000100000000", "$0x0000000300000002"} {
		a.op("MOVD", word, regScratch)
		a.op("VMOV", regScratch, fmt.Sprintf("V%d.D[%d]", v, i))
	}
}

// offsets sets the offsets of the tail's lanes from n, the number of live ones, which survives.
func (a *neon) offsets(n, lane1, lane2 string) {
	a.op("SUB", "$1", n, lane2)
	a.op("LSL", "$2", lane2)
	a.op("MOVD", "$4", lane1)
	a.op("CMP", lane1, lane2)
	a.op("CSEL", "LT", lane2, lane1, lane1)
}

// load and store move the vector at the pointer, or its tail.
func (a *neon) load(p string, v vreg) {
	if !a.tail {
		a.op("FMOVQ", "("+p+")", v.f())
		return
	}
	a.op("VLD1R", "("+p+")", v.list(1))
	a.lanes(p)
	a.op("VLD1", "("+regLane1+")", v.lane(1))
	a.op("VLD1", "("+regLane2+")", v.lane(2))
}

func (a *neon) store(v vreg, p string) {
	if !a.tail {
		a.op("FMOVQ", v.f(), "("+p+")")
		return
	}
	a.lanes(p)
	a.op("VST1", v.lane(2), "("+regLane2+")")
	a.op("VST1", v.lane(1), "("+regLane1+")")
	a.op("VST1", v.lane(0), "("+p+")")
}

func (a *neon) lanes(p string) {
	a.op("ADD", regOffset1, p, regLane1)
	a.op("ADD", regOffset2, p, regLane2)
}

// clearDead zeroes the dead lanes of the tail, using registers 6 and 7.
func (a *neon) clearDead(regs ...vreg) {
	if !a.tail {
		return
	}
	lane, live := vreg(6), vreg(7)
	a.iota(lane)
	a.op("VDUP", regCount, live.s4())
	a.s4("VCMGT", lane, live, live)
	for _, r := range regs {
		a.b16("VAND", live, r, r)
	}
}

// loop runs body over count numbers, and moves the pointers on; the body runs once more for a tail.
func (a *neon) loop(pointers []string, body func()) {
	again, tail, done := a.newLabel("loop"), a.newLabel("tail"), a.newLabel("done")
	a.op("SUBS", "$4", regCount)
	a.op("BLT", tail)
	a.label(again)
	body()
	for _, p := range pointers {
		a.op("ADD", "$16", p)
	}
	a.op("SUBS", "$4", regCount)
	a.op("BGE", again)
	a.label(tail)
	a.op("ADDS", "$4", regCount)
	a.op("BEQ", done)
	a.offsets(regCount, regOffset1, regOffset2)
	a.tail = true
	body()
	a.tail = false
	a.label(done)
}

func (a *neon) file() []byte {
	var b bytes.Buffer
	b.WriteString(header)
	b.WriteString("#include \"textflag.h\"\n")
	b.Write(a.text.Bytes())
	return b.Bytes()
}
