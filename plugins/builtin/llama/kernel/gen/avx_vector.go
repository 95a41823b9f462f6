package main

import "fmt"

// pointers of a routine live in these registers, in the order of its parameters.
var pointerRegs = []string{"DI", "SI", "DX", "R8", "R9", "R10"}

// routine emits one vector routine over n elements. Scalars (float32, uint32, int32) are broadcast to the registers
// after the temporaries, in order, before setup and body run.
type routine struct {
	name    string
	ptrs    []string
	scalars []arg
	temps   int
	result  bool
	setup   func(a *assembler, s []string)
	body    func(a *assembler, p, s []string, tail bool)
	finish  func(a *assembler) // leaves the result in X0
}

func (r routine) emit(a *assembler) {
	at := a.routine(r.name, args(ints("n"), ptrs(r.ptrs...), r.scalars), r.result)
	a.op("MOVQ", fmt.Sprintf("n+%d(FP)", at["n"]), "CX")
	var p, s []string
	for i, name := range r.ptrs {
		a.op("MOVQ", fmt.Sprintf("%s+%d(FP)", name, at[name]), pointerRegs[i])
		p = append(p, "("+pointerRegs[i]+")(AX*1)")
	}
	for i, x := range r.scalars {
		reg := a.v(r.temps + i)
		a.op("VBROADCASTSS", fmt.Sprintf("%s+%d(FP)", x.name, at[x.name]), reg)
		s = append(s, reg)
	}
	if r.setup != nil {
		r.setup(a, s)
	}
	a.loop(func(tail bool) { r.body(a, p, s, tail) })
	if r.finish != nil {
		r.finish(a)
		a.op("VMOVSS", "X0", fmt.Sprintf("ret+%d(FP)", at["ret"]))
	}
	a.end()
}

// vectors emits every vector routine. The formulas stand beside the portable twins in kernel/portable.go.
func vectors(a *assembler) {
	for _, r := range elementwise() {
		r.emit(a)
	}
	for _, r := range reductions() {
		r.emit(a)
	}
	for _, r := range activations() {
		r.emit(a)
	}
	adamw().emit(a)
	for _, r := range dropouts() {
		r.emit(a)
	}
	rotate(a)
}

func elementwise() []routine {
	return []routine{
		{name: "scale", ptrs: []string{"x"}, scalars: floats("s"), temps: 1,
			body: func(a *assembler, p, s []string, tail bool) {
				a.load(p[0], a.v(0), tail)
				a.op("VMULPS", s[0], a.v(0), a.v(0))
				a.store(a.v(0), p[0], tail)
			}},
		{name: "axpy", ptrs: []string{"y", "x"}, scalars: floats("s"), temps: 2,
			body: func(a *assembler, p, s []string, tail bool) {
				a.load(p[0], a.v(0), tail)
				a.load(p[1], a.v(1), tail)
				a.op("VFMADD231PS", s[0], a.v(1), a.v(0))
				a.store(a.v(0), p[0], tail)
			}},
		{name: "normScale", ptrs: []string{"y", "x", "gain"}, scalars: floats("r"), temps: 2,
			body: func(a *assembler, p, s []string, tail bool) {
				a.load(p[1], a.v(0), tail)
				a.load(p[2], a.v(1), tail)
				a.op("VMULPS", s[0], a.v(0), a.v(0))
				a.op("VMULPS", a.v(1), a.v(0), a.v(0))
				a.store(a.v(0), p[0], tail)
			}},
		{name: "normBack", ptrs: []string{"dx", "dgain", "x", "gain", "dy"}, scalars: floats("r", "c"), temps: 4,
			body: func(a *assembler, p, s []string, tail bool) {
				x, dy, t, d := a.v(0), a.v(1), a.v(2), a.v(3)
				a.load(p[2], x, tail)
				a.load(p[4], dy, tail)
				a.op("VMULPS", s[0], dy, dy) // r·dy
				a.load(p[1], d, tail)
				a.op("VFMADD231PS", x, dy, d)
				a.store(d, p[1], tail)
				a.load(p[3], t, tail)
				a.load(p[0], d, tail)
				a.op("VFMADD231PS", t, dy, d)
				a.op("VFNMADD231PS", s[1], x, d)
				a.store(d, p[0], tail)
			}},
		{name: "softmaxBack", ptrs: []string{"ds", "p"}, scalars: floats("sum", "s"), temps: 2,
			body: func(a *assembler, p, s []string, tail bool) {
				a.load(p[0], a.v(0), tail)
				a.load(p[1], a.v(1), tail)
				a.op("VSUBPS", s[0], a.v(0), a.v(0))
				a.op("VMULPS", a.v(1), a.v(0), a.v(0))
				a.op("VMULPS", s[1], a.v(0), a.v(0))
				a.store(a.v(0), p[0], tail)
			}},
	}
}

func reductions() []routine {
	sum := func(a *assembler) { a.sum() }
	clear := func(a *assembler, s []string) { a.zero(a.v(0)) }
	return []routine{
		{name: "dot", ptrs: []string{"x", "y"}, temps: 4, result: true, setup: clear, finish: sum,
			body: func(a *assembler, p, s []string, tail bool) {
				a.load(p[0], a.v(2), tail)
				a.load(p[1], a.v(3), tail)
				a.op("VFMADD231PS", a.v(2), a.v(3), a.v(0))
			}},
		{name: "dot3", ptrs: []string{"x", "y", "z"}, temps: 5, result: true, setup: clear, finish: sum,
			body: func(a *assembler, p, s []string, tail bool) {
				a.load(p[0], a.v(2), tail)
				a.load(p[1], a.v(3), tail)
				a.load(p[2], a.v(4), tail)
				a.op("VMULPS", a.v(2), a.v(3), a.v(3))
				a.op("VFMADD231PS", a.v(3), a.v(4), a.v(0))
			}},
		{name: "max", ptrs: []string{"x"}, temps: 4, result: true,
			setup: func(a *assembler, s []string) { a.op("VMOVUPS", a.bits("minusInf", 0xff800000), a.v(0)) },
			body: func(a *assembler, p, s []string, tail bool) {
				a.load(p[0], a.v(2), tail)
				switch {
				case !tail:
					a.op("VMAXPS", a.v(2), a.v(0), a.v(0))
				case a.wide:
					a.op("VMAXPS", a.v(2), a.v(0), "K1", a.v(0))
				default:
					a.op("VMAXPS", a.v(2), a.v(0), a.v(3))
					a.op("VBLENDVPS", a.v(-1), a.v(3), a.v(0), a.v(0))
				}
			},
			finish: func(a *assembler) { a.fold("VMAXPS") }},
		{name: "expSum", ptrs: []string{"dst", "src"}, scalars: floats("s", "bias"), temps: 7, result: true,
			setup: func(a *assembler, s []string) { a.zero(a.v(6)) },
			body: func(a *assembler, p, s []string, tail bool) {
				a.load(p[1], a.v(0), tail)
				a.op("VFMADD213PS", s[1], s[0], a.v(0))
				a.exp()
				a.clearOutside(a.v(0), tail)
				a.store(a.v(0), p[0], tail)
				a.op("VADDPS", a.v(0), a.v(6), a.v(6))
			},
			finish: func(a *assembler) {
				a.op("VMOVAPS", a.v(6), a.v(0))
				a.sum()
			}},
	}
}

// exp replaces register 0 by its exponential, using registers 1 to 3: x = n·ln 2 + r with |r| ≤ ½·ln 2, e^r by the
// polynomial of Cephes' expf (Moshier), 2^n by the exponent's bits. Below −87.33, where the result would be subnormal,
// it gives exactly 0; above 88.37 it gives e^88.37; NaN stays NaN.
func (a *assembler) exp() {
	x, n, y, t := a.v(0), a.v(1), a.v(2), a.v(3)
	const notLess = "$5" // true for NaN
	a.op("VMOVUPS", a.cst("expHigh", 88.37), y)
	a.op("VMINPS", x, y, y) // NaN in x passes
	if a.wide {
		a.op("VCMPPS", notLess, a.cst("expLow", -87.33), x, "K2")
	} else {
		a.op("VCMPPS", notLess, a.cst("expLow", -87.33), x, a.v(5))
	}
	a.op("VMOVAPS", y, x)
	a.op("VMULPS", a.cst("log2e", 1.44269504088896341), x, n)
	if a.wide {
		a.op("VRNDSCALEPS", "$0", n, n)
	} else {
		a.op("VROUNDPS", "$0", n, n)
	}
	a.op("VFNMADD231PS", a.cst("ln2High", 0.693359375), n, x)
	a.op("VFNMADD231PS", a.cst("ln2Low", -2.12194440e-4), n, x)
	a.op("VMOVUPS", a.cst("exp0", 1.9875691500e-4), y)
	for i, c := range []float32{1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1} {
		a.op("VFMADD213PS", a.cst(fmt.Sprintf("exp%d", i+1), c), x, y)
	}
	a.op("VMULPS", x, x, t)
	a.op("VFMADD213PS", x, t, y)
	a.op("VADDPS", a.cst("one", 1), y, y)
	if a.wide {
		a.op("VSCALEFPS", n, y, y)
		a.op("VMOVAPS.Z", y, "K2", x)
		return
	}
	a.op("VCVTPS2DQ", n, n)
	a.op("VPADDD", a.bits("bias127", 127), n, n)
	a.op("VPSLLD", "$23", n, n)
	a.op("VMULPS", n, y, y)
	a.op("VANDPS", a.v(5), y, x)
}

// sigmoid puts 1/(1+exp(−g)) into register 0, g in the memory operand; g itself stays in register 4.
func (a *assembler) sigmoid(g string, tail bool) {
	a.load(g, a.v(4), tail)
	a.zero(a.v(0))
	a.op("VSUBPS", a.v(4), a.v(0), a.v(0))
	a.exp()
	a.op("VMOVUPS", a.cst("one", 1), a.v(1))
	a.op("VADDPS", a.v(1), a.v(0), a.v(0))
	a.op("VDIVPS", a.v(0), a.v(1), a.v(0))
}

func activations() []routine {
	return []routine{
		{name: "swiglu", ptrs: []string{"y", "gate", "up"}, temps: 7,
			body: func(a *assembler, p, s []string, tail bool) {
				a.sigmoid(p[1], tail)
				a.load(p[2], a.v(2), tail)
				a.op("VMULPS", a.v(4), a.v(0), a.v(0))
				a.op("VMULPS", a.v(2), a.v(0), a.v(0))
				a.store(a.v(0), p[0], tail)
			}},
		{name: "swigluBack", ptrs: []string{"dgate", "dup", "gate", "up", "dy"}, temps: 7,
			body: func(a *assembler, p, s []string, tail bool) {
				a.sigmoid(p[2], tail) // register 0: σ, register 4: gate
				one, dy, t, up := a.v(1), a.v(2), a.v(3), a.v(5)
				a.load(p[4], dy, tail)
				a.load(p[3], up, tail)                 // before dup is written: it may be the same slice
				a.op("VMULPS", a.v(0), a.v(4), a.v(4)) // gate·σ
				a.op("VMULPS", dy, a.v(4), t)
				a.store(t, p[1], tail)
				a.op("VSUBPS", a.v(0), one, one) // 1−σ
				a.op("VFMADD231PS", one, a.v(4), a.v(0))
				a.op("VMULPS", up, dy, dy)
				a.op("VMULPS", a.v(0), dy, dy)
				a.store(dy, p[0], tail)
			}},
	}
}

func adamw() routine {
	return routine{name: "adamw", ptrs: []string{"w", "m", "v", "grad"}, temps: 5,
		scalars: floats("clip", "beta1", "beta2", "new1", "new2", "fix1", "fix2", "eps", "lr", "decay"),
		setup: func(a *assembler, s []string) {
			// lr·decay takes decay's place: the step is w −= lr·(…) + lr·decay·w.
			a.op("VMULPS", s[8], s[9], s[9])
		},
		body: func(a *assembler, p, s []string, tail bool) {
			w, m, v, g, t := a.v(0), a.v(1), a.v(2), a.v(3), a.v(4)
			clip, beta1, beta2, new1, new2, fix1, fix2, eps, lr, decay := s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8], s[9]
			a.load(p[3], g, tail)
			a.op("VMULPS", clip, g, g)
			a.load(p[1], m, tail)
			a.op("VMULPS", beta1, m, m)
			a.op("VFMADD231PS", new1, g, m)
			a.store(m, p[1], tail)
			a.op("VMULPS", g, g, g)
			a.load(p[2], v, tail)
			a.op("VMULPS", beta2, v, v)
			a.op("VFMADD231PS", new2, g, v)
			a.store(v, p[2], tail)
			a.op("VMULPS", fix2, v, v)
			a.op("VSQRTPS", v, v)
			a.op("VADDPS", eps, v, v)
			a.op("VMULPS", fix1, m, m)
			a.op("VDIVPS", v, m, t)
			a.load(p[0], w, tail)
			a.op("VMULPS", lr, t, t)
			a.op("VFMADD231PS", decay, w, t)
			a.op("VSUBPS", t, w, w)
			a.store(w, p[0], tail)
		}}
}

// dropouts share a counter-based generator: lane j hashes j + key0 with two rounds of multiply and shift (Wellons'
// lowbias32, the second key mixed in between) and is kept when the upper 31 bits exceed the limit.
func dropouts() []routine {
	scalars := []arg{{"key0", "uint32"}, {"key1", "uint32"}, {"limit", "int32"}, {"s", "float32"}}
	setup := func(a *assembler, s []string) {
		a.op(a.intOp("VPADDD"), "iota<>(SB)", s[0], s[0])
	}
	keep := func(a *assembler, s []string) { // register 0: s or 0
		h, t := a.v(1), a.v(2)
		shift := func(n int) {
			a.op("VPSRLD", fmt.Sprintf("$%d", n), h, t)
			a.op(a.intOp("VPXOR"), t, h, h)
		}
		a.op("VMOVAPS", s[0], h)
		a.op(a.intOp("VPADDD"), a.bits("lanesPerVector", uint32(a.width)), s[0], s[0])
		shift(16)
		a.op("VPMULLD", a.bits("lowbias1", 0x7feb352d), h, h)
		shift(15)
		a.op(a.intOp("VPXOR"), s[1], h, h)
		a.op("VPMULLD", a.bits("lowbias2", 0x846ca68b), h, h)
		shift(16)
		a.op("VPSRLD", "$1", h, h)
		if a.wide {
			a.op("VPCMPGTD", s[2], h, "K2")
			a.op("VMOVAPS.Z", s[3], "K2", a.v(0))
			return
		}
		a.op("VPCMPGTD", s[2], h, h)
		a.op("VANDPS", s[3], h, a.v(0))
	}
	return []routine{
		{name: "dropAdd", ptrs: []string{"y", "x"}, scalars: scalars, temps: 4, setup: setup,
			body: func(a *assembler, p, s []string, tail bool) {
				keep(a, s)
				a.load(p[0], a.v(1), tail)
				a.load(p[1], a.v(2), tail)
				a.op("VFMADD213PS", a.v(2), a.v(1), a.v(0))
				a.store(a.v(0), p[0], tail)
			}},
		{name: "dropMul", ptrs: []string{"y", "x"}, scalars: scalars, temps: 4, setup: setup,
			body: func(a *assembler, p, s []string, tail bool) {
				keep(a, s)
				a.load(p[1], a.v(1), tail)
				a.op("VMULPS", a.v(1), a.v(0), a.v(0))
				a.store(a.v(0), p[0], tail)
			}},
	}
}

// intOp gives the integer instruction's name: AVX-512 spells the bitwise ones with their lane width.
func (a *assembler) intOp(name string) string {
	if a.wide && name == "VPXOR" {
		return "VPXORD"
	}
	return name
}

// rotate emits the rotary position embedding of heads·2·half numbers: a loop over heads around the lane loop.
func rotate(a *assembler) {
	at := a.routine("rotate", args(ints("half", "heads"), ptrs("dst", "src", "cos", "sin")), false)
	for _, p := range [][2]string{{"heads", "BX"}, {"dst", "DI"}, {"src", "SI"}, {"cos", "R8"}, {"sin", "R9"}} {
		a.op("MOVQ", fmt.Sprintf("%s+%d(FP)", p[0], at[p[0]]), p[1])
	}
	a.op("MOVQ", fmt.Sprintf("half+%d(FP)", at["half"]), "R11")
	a.op("SHLQ", "$2", "R11") // bytes of half a head
	a.label("head")
	a.op("MOVQ", fmt.Sprintf("half+%d(FP)", at["half"]), "CX")
	a.op("LEAQ", "(DI)(R11*1)", "R12")
	a.op("LEAQ", "(SI)(R11*1)", "R10")
	a.loop(func(tail bool) {
		x, y, c, s, t, u := a.v(0), a.v(1), a.v(2), a.v(3), a.v(4), a.v(5)
		a.load("(SI)(AX*1)", x, tail)
		a.load("(R10)(AX*1)", y, tail)
		a.load("(R8)(AX*1)", c, tail)
		a.load("(R9)(AX*1)", s, tail)
		a.op("VMULPS", y, s, t)
		a.op("VFMSUB231PS", x, c, t)
		a.op("VMULPS", x, s, u)
		a.op("VFMADD231PS", y, c, u)
		a.store(t, "(DI)(AX*1)", tail)
		a.store(u, "(R12)(AX*1)", tail)
	})
	a.op("LEAQ", "(DI)(R11*2)", "DI")
	a.op("LEAQ", "(SI)(R11*2)", "SI")
	a.op("DECQ", "BX")
	a.op("JNZ", "head")
	a.end()
}
