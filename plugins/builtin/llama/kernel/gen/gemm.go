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

func tile(a *assembler, rows, vecs int) {
	at := a.begin(fmt.Sprintf("tile%dx%d", rows, vecs),
		args(ints("k"), ptrs("a"), ints("ra", "ca"), ptrs("b"), ints("ldb"), ptrs("c"), ints("ldc", "acc", "last")), false)
	get := func(name, reg string) { a.op("MOVQ", fmt.Sprintf("%s+%d(FP)", name, at[name]), reg) }
	get("last", "R15")
	a.laneMask("R15", "AX")
	get("k", "CX")
	get("a", "SI")
	get("ra", "R9")
	get("ca", "R13")
	get("b", "BX")
	get("ldb", "R8")
	get("c", "DI")
	get("ldc", "DX")
	get("acc", "AX")

	// Every third row of A has a base register; the others are reached by the index.
	bases := []string{"SI", "R10", "R11", "R12"}[:(rows+2)/3]
	if len(bases) > 1 {
		a.op("LEAQ", "(R9)(R9*2)", "R10")
		for i := len(bases) - 1; i >= 1; i-- {
			if i == 1 {
				a.op("ADDQ", "SI", "R10")
				break
			}
			a.op("IMUL3Q", fmt.Sprintf("$%d", 3*i), "R9", bases[i])
			a.op("ADDQ", "SI", bases[i])
		}
	}
	elem := func(i int) string {
		return fmt.Sprintf("(%s)%s", bases[i/3], []string{"", "(R9*1)", "(R9*2)"}[i%3])
	}
	accumulator := func(i, v int) string { return a.v(i*vecs + v) }
	bReg := func(v int) string { return a.v(rows*vecs + v) }
	first := (rows + 1) * vecs
	spare := a.regs - first
	if !a.wide {
		spare-- // the mask
	}
	for i := range rows * vecs {
		a.zero(a.v(i))
	}
	a.label("loop")
	for v := range vecs {
		a.load(fmt.Sprintf("%d(BX)", 4*a.width*v), bReg(v), v == vecs-1)
	}
	for i := range rows {
		x := a.v(first + i%spare)
		a.op("VBROADCASTSS", elem(i), x)
		for v := range vecs {
			a.op("VFMADD231PS", bReg(v), x, accumulator(i, v))
		}
	}
	for _, r := range bases {
		a.op("ADDQ", "R13", r)
	}
	a.op("ADDQ", "R8", "BX")
	a.op("DECQ", "CX")
	a.op("JNZ", "loop")

	a.op("TESTQ", "AX", "AX")
	a.op("JZ", "put")
	a.op("MOVQ", "DI", "R8")
	old := a.v(first)
	for i := range rows {
		for v := range vecs {
			a.load(fmt.Sprintf("%d(R8)", 4*a.width*v), old, v == vecs-1)
			a.op("VADDPS", old, accumulator(i, v), accumulator(i, v))
		}
		a.op("ADDQ", "DX", "R8")
	}
	a.label("put")
	a.op("CMPQ", "R15", fmt.Sprintf("$%d", a.width))
	a.op("JEQ", "full")
	write := func(tail bool) {
		for i := range rows {
			for v := range vecs {
				a.store(accumulator(i, v), fmt.Sprintf("%d(DI)", 4*a.width*v), tail && v == vecs-1)
			}
			a.op("ADDQ", "DX", "DI")
		}
		a.end()
	}
	write(true)
	a.label("full")
	write(false)
}

const transposeSymbol = "transpose8"

// transpose emits transpose8: eight rows of 8·blocks numbers become 8·blocks rows of eight. It needs AVX alone and
// serves both instruction sets.
func transpose(a *assembler) {
	as := args(ints("blocks"), ptrs("src"), ints("ld"), ptrs("dst"), ints("ldd"))
	fmt.Fprint(&a.decls, "//go:noescape\nfunc transpose8(blocks int, src *float32, ld int, dst *float32, ldd int)\n\n")
	at, _, size := frame(as, false)
	fmt.Fprintf(&a.text, "\n// func transpose8(blocks int, src *float32, ld int, dst *float32, ldd int)\nTEXT ·transpose8(SB), NOSPLIT, $0-%d\n", size)
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
