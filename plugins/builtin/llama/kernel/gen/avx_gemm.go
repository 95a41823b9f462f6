package main

import "fmt"

// tiles emits the matrix tiles: tileRxV holds R rows of V vectors of C in registers and runs down k.
//
// C[R, V·width] (+)= A·B, where element (i, p) of A is at a + i·ra + p·ca, row p of B at b + p·ldb, row i of C at
// c + i·ldc, all strides in bytes; the last vector has last valid lanes. Each element of C is one chain of fused
// multiply-adds in the order of k, then one addition to what C held: so it does not depend on R, V or last.
func tiles(a *assembler) {
	for rows := 1; rows <= a.tileRows; rows++ {
		for vecs := 1; vecs <= 2; vecs++ {
			tile(a, rows, vecs)
		}
	}
}

// tileShape is one tile under construction. Registers: the accumulators row by row, then a row of B, then elements of A
// in turn; the mask's register is outside.
type tileShape struct {
	*assembler
	rows, vecs int
	bases      []string // of every third row of A; the rows between are reached by the index R9
}

func tile(a *assembler, rows, vecs int) {
	t := tileShape{assembler: a, rows: rows, vecs: vecs, bases: []string{"SI", "R10", "R11", "R12"}[:(rows+2)/3]}
	t.begin()
	t.multiply()
	t.addOld()
	a.label("put")
	a.op("CMPQ", "R15", fmt.Sprintf("$%d", a.width))
	a.op("JEQ", "full")
	t.write(true)
	a.label("full")
	t.write(false)
}

func (t tileShape) accumulator(i, v int) string { return t.v(i*t.vecs + v) }

func (t tileShape) ofB(v int) string { return t.v(t.rows*t.vecs + v) }

// ofA is the register for row i's element of A; neighbours use different ones while there are enough.
func (t tileShape) ofA(i int) string {
	first := (t.rows + 1) * t.vecs
	spare := t.regs - first
	if !t.wide {
		spare-- // the mask
	}
	return t.v(first + i%spare)
}

// begin reads the parameters: k in CX, A's rows in bases, its strides in R9 and R13, B in BX by R8, C in DI by DX, acc in
// AX, last in R15 and in the lane mask.
func (t tileShape) begin() {
	a := t.assembler
	at := a.begin(a.symbol(fmt.Sprintf("tile%dx%d", t.rows, t.vecs)), tileArgs(), false)
	get := func(name, reg string) { a.op("MOVQ", fmt.Sprintf("%s+%d(FP)", name, at[name]), reg) }
	get("last", "R15")
	a.laneMask("R15", "AX")
	for _, p := range [][2]string{{"k", "CX"}, {"a", "SI"}, {"ra", "R9"}, {"ca", "R13"}, {"b", "BX"}, {"ldb", "R8"}, {"c", "DI"}, {"ldc", "DX"}, {"acc", "AX"}} {
		get(p[0], p[1])
	}
	for i := 1; i < len(t.bases); i++ {
		a.op("IMUL3Q", fmt.Sprintf("$%d", 3*i), "R9", t.bases[i])
		a.op("ADDQ", "SI", t.bases[i])
	}
	for i := range t.rows * t.vecs {
		a.zero(a.v(i))
	}
}

// multiply runs down k.
func (t tileShape) multiply() {
	a := t.assembler
	a.label("loop")
	for v := range t.vecs {
		a.load(fmt.Sprintf("%d(BX)", 4*a.width*v), t.ofB(v), v == t.vecs-1)
	}
	for i := range t.rows {
		a.op("VBROADCASTSS", fmt.Sprintf("(%s)%s", t.bases[i/3], []string{"", "(R9*1)", "(R9*2)"}[i%3]), t.ofA(i))
		for v := range t.vecs {
			a.op("VFMADD231PS", t.ofB(v), t.ofA(i), t.accumulator(i, v))
		}
	}
	for _, r := range t.bases {
		a.op("ADDQ", "R13", r)
	}
	a.op("ADDQ", "R8", "BX")
	a.op("DECQ", "CX")
	a.op("JNZ", "loop")
}

// addOld adds what C holds, where acc asks for it.
func (t tileShape) addOld() {
	a := t.assembler
	a.op("TESTQ", "AX", "AX")
	a.op("JZ", "put")
	a.op("MOVQ", "DI", "R8")
	for i := range t.rows {
		for v := range t.vecs {
			a.load(fmt.Sprintf("%d(R8)", 4*a.width*v), t.ofA(0), v == t.vecs-1)
			a.op("VADDPS", t.ofA(0), t.accumulator(i, v), t.accumulator(i, v))
		}
		a.op("ADDQ", "DX", "R8")
	}
}

// write stores the tile and returns.
func (t tileShape) write(tail bool) {
	a := t.assembler
	for i := range t.rows {
		for v := range t.vecs {
			a.store(t.accumulator(i, v), fmt.Sprintf("%d(DI)", 4*a.width*v), tail && v == t.vecs-1)
		}
		a.op("ADDQ", "DX", "DI")
	}
	a.end()
}

// transpose emits transpose8: eight rows of 8·blocks numbers become 8·blocks rows of eight. It needs AVX alone and
// serves both instruction sets.
func transpose(a *assembler) {
	at := a.begin(transposeSymbol, transposeArgs(), false)
	for _, p := range [][2]string{{"blocks", "CX"}, {"src", "SI"}, {"ld", "R8"}, {"dst", "DI"}, {"ldd", "R9"}} {
		a.op("MOVQ", fmt.Sprintf("%s+%d(FP)", p[0], at[p[0]]), p[1])
	}
	a.op("LEAQ", "(R8)(R8*2)", "R10") // 3 rows of src
	a.op("LEAQ", "(R9)(R9*2)", "R11")
	row := func(base, one, three string, i int) string {
		return fmt.Sprintf("(%s)%s", base, []string{"", "(" + one + "*1)", "(" + one + "*2)", "(" + three + "*1)"}[i%4])
	}
	a.label("loop")
	a.op("LEAQ", "(SI)(R8*4)", "BX")
	a.op("LEAQ", "(DI)(R9*4)", "DX")
	for i := range 8 {
		a.op("VMOVUPS", row([]string{"SI", "BX"}[i/4], "R8", "R10", i), a.v(i))
	}
	for i := range 4 { // pairs of rows, interleaved
		a.op("VUNPCKLPS", a.v(2*i+1), a.v(2*i), a.v(8+2*i))
		a.op("VUNPCKHPS", a.v(2*i+1), a.v(2*i), a.v(9+2*i))
	}
	for h := range 2 { // quads
		lo, hi, lo2, hi2 := a.v(8+4*h), a.v(9+4*h), a.v(10+4*h), a.v(11+4*h)
		a.op("VSHUFPS", "$0x44", lo2, lo, a.v(4*h))
		a.op("VSHUFPS", "$0xee", lo2, lo, a.v(4*h+1))
		a.op("VSHUFPS", "$0x44", hi2, hi, a.v(4*h+2))
		a.op("VSHUFPS", "$0xee", hi2, hi, a.v(4*h+3))
	}
	for i := range 4 { // halves
		a.op("VPERM2F128", "$0x20", a.v(4+i), a.v(i), a.v(8+i))
		a.op("VPERM2F128", "$0x31", a.v(4+i), a.v(i), a.v(12+i))
	}
	for i := range 8 {
		a.op("VMOVUPS", a.v(8+i), row([]string{"DI", "DX"}[i/4], "R9", "R11", i))
	}
	a.op("ADDQ", "$32", "SI")
	a.op("LEAQ", "(DX)(R9*4)", "DI")
	a.op("DECQ", "CX")
	a.op("JNZ", "loop")
	a.end()
}
