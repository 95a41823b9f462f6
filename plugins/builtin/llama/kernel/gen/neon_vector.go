package main

import "fmt"

// vectors emits every vector routine. The formulas stand beside the portable twins in kernel/portable.go.
func (a *neon) vectors() {
	a.elementwise()
	a.sums()
	a.max()
	a.expSum()
	a.swiglu()
	a.swigluBack()
	a.adamw()
	a.dropouts()
	a.rotate()
}

var pointerRegsNEON = []string{"R1", "R2", "R3", "R4", "R5", "R6"}

// start opens a routine over n numbers: it gives the pointers, and registers whose lanes all hold a scalar.
func (a *neon) start(name string, pointers []string, scalars []arg, result bool) (p []string, s []vreg) {
	at := a.routine(name, args(ints("n"), ptrs(pointers...), scalars), result)
	a.free = 32
	a.ret = at["ret"]
	a.get("MOVD", "n", at, regCount)
	for i, name := range pointers {
		p = append(p, pointerRegsNEON[i])
		a.get("MOVD", name, at, p[i])
	}
	for i, x := range scalars {
		s = append(s, a.keep())
		a.get("MOVWU", x.name, at, regScratch)
		a.op("VDUP", regScratch, s[i].s4())
	}
	return p, s
}

// end closes a routine without a result; fold closes one whose result is the lanes of v, combined in pairs.
func (a *neon) end() { a.op("RET") }

func (a *neon) fold(mnemonic string, v vreg) {
	a.s4(mnemonic, v, v, v)
	a.s4(mnemonic, v, v, v)
	a.op("FMOVS", v.f(), fmt.Sprintf("ret+%d(FP)", a.ret))
	a.op("RET")
}

func (a *neon) elementwise() {
	const x, y, t, d vreg = 0, 1, 2, 3

	p, s := a.start("scale", []string{"x"}, floats("s"), false)
	a.loop(p, func() {
		a.load(p[0], x)
		a.s4("VFMUL", s[0], x, x)
		a.store(x, p[0])
	})
	a.end()

	p, s = a.start("axpy", []string{"y", "x"}, floats("s"), false)
	a.loop(p, func() {
		a.load(p[0], y)
		a.load(p[1], x)
		a.s4("VFMLA", s[0], x, y)
		a.store(y, p[0])
	})
	a.end()

	p, s = a.start("normScale", []string{"y", "x", "gain"}, floats("r"), false)
	a.loop(p, func() {
		a.load(p[1], x)
		a.load(p[2], t)
		a.s4("VFMUL", s[0], x, x)
		a.s4("VFMUL", t, x, x)
		a.store(x, p[0])
	})
	a.end()

	p, s = a.start("normBack", []string{"dx", "dgain", "x", "gain", "dy"}, floats("r", "c"), false)
	a.loop(p, func() {
		a.load(p[2], x)
		a.load(p[4], y)
		a.s4("VFMUL", s[0], y, y) // r·dy
		a.load(p[1], d)
		a.s4("VFMLA", x, y, d)
		a.store(d, p[1])
		a.load(p[3], t)
		a.load(p[0], d)
		a.s4("VFMLA", t, y, d)
		a.s4("VFMLS", s[1], x, d)
		a.store(d, p[0])
	})
	a.end()

	p, s = a.start("softmaxBack", []string{"ds", "p"}, floats("sum", "s"), false)
	a.loop(p, func() {
		a.load(p[0], d)
		a.load(p[1], x)
		a.s4("VFSUB", s[0], d, d)
		a.s4("VFMUL", x, d, d)
		a.s4("VFMUL", s[1], d, d)
		a.store(d, p[0])
	})
	a.end()
}

func (a *neon) sums() {
	const sum, x, y, z vreg = 0, 1, 2, 3

	p, _ := a.start("dot", []string{"x", "y"}, nil, true)
	a.zero(sum)
	a.loop(p, func() {
		a.load(p[0], x)
		a.load(p[1], y)
		a.clearDead(x, y)
		a.s4("VFMLA", x, y, sum)
	})
	a.fold("VFADDP", sum)

	p, _ = a.start("dot3", []string{"x", "y", "z"}, nil, true)
	a.zero(sum)
	a.loop(p, func() {
		a.load(p[0], x)
		a.load(p[1], y)
		a.load(p[2], z)
		a.s4("VFMUL", x, y, y)
		a.clearDead(y, z)
		a.s4("VFMLA", y, z, sum)
	})
	a.fold("VFADDP", sum)
}

// max needs no care for dead lanes: they repeat live ones.
func (a *neon) max() {
	const top, x vreg = 0, 1
	p, _ := a.start("max", []string{"x"}, nil, true)
	minusInf := a.bits(0xff800000)
	a.op("VMOV", minusInf.b16(), top.b16())
	a.loop(p, func() {
		a.load(p[0], x)
		a.s4("VFMAX", x, top, top)
	})
	a.fold("VFMAXP", top)
}

func (a *neon) expSum() {
	const x, sum, old vreg = 0, 5, 4
	p, s := a.start("expSum", []string{"dst", "src"}, floats("s", "bias"), true)
	e := a.exponential()
	a.zero(sum)
	a.loop(p, func() {
		a.load(p[1], old)
		a.op("VMOV", s[1].b16(), x.b16())
		a.s4("VFMLA", s[0], old, x)
		e.exp()
		a.store(x, p[0])
		a.clearDead(x)
		a.s4("VFADD", x, sum, sum)
	})
	a.fold("VFADDP", sum)
}

// exponential is e^x with its constants in registers; the formula is that of exp in avx_vector.go.
type exponential struct {
	*neon
	high, low, log2e, ln2High, ln2Low, one, bias vreg
	poly                                         []vreg
}

func (a *neon) exponential() exponential {
	e := exponential{
		neon: a,
		high: a.constant(88.37), low: a.constant(-87.33), log2e: a.constant(1.44269504088896341),
		ln2High: a.constant(0.693359375), ln2Low: a.constant(-2.12194440e-4), one: a.constant(1), bias: a.bits(127),
	}
	for _, c := range []float32{1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1} {
		e.poly = append(e.poly, a.constant(c))
	}
	return e
}

// exp replaces register 0 by its exponential, using registers 1 to 3, 6 and 7.
func (e exponential) exp() {
	const x, n, y, next, small, square vreg = 0, 1, 2, 3, 6, 7
	e.s4("VFCMGT", x, e.low, small) // not for NaN
	e.s4("VFMIN", e.high, x, x)     // NaN passes
	e.s4("VFMUL", e.log2e, x, n)
	e.s4("VFRINTN", n, n)
	e.s4("VFMLS", e.ln2High, n, x)
	e.s4("VFMLS", e.ln2Low, n, x)
	from := e.poly[0]
	to := [2]vreg{y, next}
	for i, c := range e.poly[1:] {
		e.op("VMOV", c.b16(), to[i%2].b16())
		e.s4("VFMLA", x, from, to[i%2])
		from = to[i%2]
	}
	e.s4("VFMUL", x, x, square)
	e.s4("VFMLA", square, from, x)
	e.s4("VFADD", e.one, x, x)
	e.s4("VFCVTNS", n, n)
	e.s4("VADD", e.bias, n, n)
	e.op("VSHL", "$23", n.s4(), n.s4())
	e.s4("VFMUL", n, x, x)
	e.b16("VBIC", small, x, x)
}

// sigmoid puts 1/(1+exp(−g)) into register 0, g being in register 4, where it stays.
func (e exponential) sigmoid() {
	e.s4("VFNEG", 4, 0)
	e.exp()
	e.s4("VFADD", e.one, 0, 0)
	e.s4("VFDIV", 0, e.one, 0)
}

func (a *neon) swiglu() {
	const sigma, up, gate vreg = 0, 2, 4
	p, _ := a.start("swiglu", []string{"y", "gate", "up"}, nil, false)
	e := a.exponential()
	a.loop(p, func() {
		a.load(p[1], gate)
		e.sigmoid()
		a.load(p[2], up)
		a.s4("VFMUL", gate, sigma, sigma)
		a.s4("VFMUL", up, sigma, sigma)
		a.store(sigma, p[0])
	})
	a.end()
}

func (a *neon) swigluBack() {
	const sigma, rest, dy, up, gate vreg = 0, 1, 2, 3, 4
	p, _ := a.start("swigluBack", []string{"dgate", "dup", "gate", "up", "dy"}, nil, false)
	e := a.exponential()
	a.loop(p, func() {
		a.load(p[2], gate)
		e.sigmoid()
		a.load(p[3], up)
		a.load(p[4], dy)
		a.s4("VFMUL", sigma, gate, gate) // gate·σ
		a.s4("VFMUL", dy, up, up)
		a.s4("VFMUL", gate, dy, dy)
		a.store(dy, p[1])
		a.s4("VFSUB", sigma, e.one, rest) // 1−σ
		a.s4("VFMLA", rest, gate, sigma)
		a.s4("VFMUL", sigma, up, up)
		a.store(up, p[0])
	})
	a.end()
}

func (a *neon) adamw() {
	const w, m, v, g, t vreg = 0, 1, 2, 3, 4
	p, s := a.start("adamw", []string{"w", "m", "v", "grad"},
		floats("clip", "beta1", "beta2", "new1", "new2", "fix1", "fix2", "eps", "lr", "decay"), false)
	clip, beta1, beta2, new1, new2, fix1, fix2, eps, lr, decay := s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8], s[9]
	a.s4("VFMUL", lr, decay, decay) // the step is w −= lr·(…) + lr·decay·w
	a.loop(p, func() {
		a.load(p[3], g)
		a.s4("VFMUL", clip, g, g)
		a.load(p[1], m)
		a.s4("VFMUL", beta1, m, m)
		a.s4("VFMLA", new1, g, m)
		a.store(m, p[1])
		a.s4("VFMUL", g, g, g)
		a.load(p[2], v)
		a.s4("VFMUL", beta2, v, v)
		a.s4("VFMLA", new2, g, v)
		a.store(v, p[2])
		a.s4("VFMUL", fix2, v, v)
		a.s4("VFSQRT", v, v)
		a.s4("VFADD", eps, v, v)
		a.s4("VFMUL", fix1, m, m)
		a.s4("VFDIV", v, m, t)
		a.load(p[0], w)
		a.s4("VFMUL", lr, t, t)
		a.s4("VFMLA", decay, w, t)
		a.s4("VFSUB", t, w, w)
		a.store(w, p[0])
	})
	a.end()
}

// dropouts share a generator of random bits: see dropouts in avx_vector.go.
func (a *neon) dropouts() {
	const kept, h, t vreg = 0, 1, 2
	scalars := []arg{{"key0", "uint32"}, {"key1", "uint32"}, {"limit", "int32"}, {"s", "float32"}}
	var four, first, then vreg // constants
	setup := func(s []vreg) {
		four, first, then = a.bits(4), a.bits(0x7feb352d), a.bits(0x846ca68b)
		a.iota(t)
		a.s4("VADD", t, s[0], s[0])
	}
	keep := func(s []vreg) { // kept: s or 0
		fold := func(shift int, from vreg) {
			a.op("VUSHR", fmt.Sprintf("$%d", shift), from.s4(), t.s4())
			a.b16("VEOR", t, from, h)
		}
		fold(16, s[0])
		a.s4("VADD", four, s[0], s[0])
		a.s4("VMUL", first, h, h)
		fold(15, h)
		a.b16("VEOR", s[1], h, h)
		a.s4("VMUL", then, h, h)
		fold(16, h)
		a.op("VUSHR", "$1", h.s4(), h.s4())
		a.s4("VCMGT", s[2], h, h)
		a.b16("VAND", s[3], h, kept)
	}

	p, s := a.start("dropAdd", []string{"y", "x"}, scalars, false)
	setup(s)
	a.loop(p, func() {
		keep(s)
		a.load(p[0], h)
		a.load(p[1], t)
		a.s4("VFMLA", h, kept, t)
		a.store(t, p[0])
	})
	a.end()

	p, s = a.start("dropMul", []string{"y", "x"}, scalars, false)
	setup(s)
	a.loop(p, func() {
		keep(s)
		a.load(p[1], h)
		a.s4("VFMUL", h, kept, h)
		a.store(h, p[0])
	})
	a.end()
}

// rotate emits the rotary position embedding of heads·2·half numbers: a loop over heads around the lane loop.
func (a *neon) rotate() {
	const (
		dst, dst2, src, src2, cos, sin       = "R1", "R2", "R3", "R4", "R5", "R6"
		heads, half, bytes                   = "R12", "R13", "R14" // bytes of half a head
		dstHead, srcHead, firstCos, firstSin = "R15", "R16", "R17", "R19"
	)
	at := a.routine("rotate", args(ints("half", "heads"), ptrs("dst", "src", "cos", "sin")), false)
	for _, p := range [][2]string{
		{"half", half}, {"heads", heads}, {"dst", dstHead}, {"src", srcHead}, {"cos", firstCos}, {"sin", firstSin},
	} {
		a.get("MOVD", p[0], at, p[1])
	}
	a.op("LSL", "$2", half, bytes)
	a.label("head")
	a.op("MOVD", half, regCount)
	a.op("MOVD", dstHead, dst)
	a.op("ADD", bytes, dstHead, dst2)
	a.op("ADD", bytes, dst2, dstHead)
	a.op("MOVD", srcHead, src)
	a.op("ADD", bytes, srcHead, src2)
	a.op("ADD", bytes, src2, srcHead)
	a.op("MOVD", firstCos, cos)
	a.op("MOVD", firstSin, sin)
	a.loop([]string{dst, dst2, src, src2, cos, sin}, func() {
		const x, y, c, s, t, u vreg = 0, 1, 2, 3, 4, 5
		a.load(src, x)
		a.load(src2, y)
		a.load(cos, c)
		a.load(sin, s)
		a.s4("VFMUL", x, c, t)
		a.s4("VFMLS", y, s, t)
		a.s4("VFMUL", x, s, u)
		a.s4("VFMLA", y, c, u)
		a.store(t, dst)
		a.store(u, dst2)
	})
	a.op("SUBS", "$1", heads)
	a.op("BNE", "head")
	a.end()
}
