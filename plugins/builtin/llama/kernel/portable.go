package kernel

import (
	"math"
	"unsafe"
)

// portable is the implementation without assembly. Products are converted before they are added, so that no compiler
// fuses them on one path and not on another.
var portable = impl{
	name:  "portable",
	mr:    4,
	lanes: 8,
	tiles: [maxTileRows + 1][3]tileFunc{
		1: {1: portableTile(1, 1), 2: portableTile(1, 2)},
		2: {1: portableTile(2, 1), 2: portableTile(2, 2)},
		3: {1: portableTile(3, 1), 2: portableTile(3, 2)},
		4: {1: portableTile(4, 1), 2: portableTile(4, 2)},
	},
	transpose8: func(blocks int, src *float32, ld int, dst *float32, ldd int) {
		for r := range 8 {
			for k := range 8 * blocks {
				*at(dst, k*ldd+4*r) = *at(src, r*ld+4*k)
			}
		}
	},
	scale: func(n int, x *float32, s float32) {
		for i, v := range span(x, n) {
			span(x, n)[i] = v * s
		}
	},
	axpy: func(n int, y, x *float32, s float32) {
		to := span(y, n)
		for i, v := range span(x, n) {
			to[i] += float32(s * v)
		}
	},
	normScale: func(n int, y, x, gain *float32, r float32) {
		to, g := span(y, n), span(gain, n)
		for i, v := range span(x, n) {
			to[i] = v * r * g[i]
		}
	},
	normBack: func(n int, dx, dgain, x, gain, dy *float32, r, c float32) {
		dxs, dgs, xs, gs, dys := span(dx, n), span(dgain, n), span(x, n), span(gain, n), span(dy, n)
		for i := range dxs {
			d := r * dys[i]
			dgs[i] += float32(d * xs[i])
			dxs[i] = dxs[i] + float32(d*gs[i]) - float32(c*xs[i])
		}
	},
	softmaxBack: func(n int, ds, p *float32, sum, s float32) {
		to := span(ds, n)
		for i, v := range span(p, n) {
			to[i] = (to[i] - sum) * v * s
		}
	},
	dot: func(n int, x, y *float32) float32 {
		var s float32
		ys := span(y, n)
		for i, v := range span(x, n) {
			s += float32(v * ys[i])
		}
		return s
	},
	dot3: func(n int, x, y, z *float32) float32 {
		var s float32
		ys, zs := span(y, n), span(z, n)
		for i, v := range span(x, n) {
			s += float32(v * ys[i] * zs[i])
		}
		return s
	},
	max: func(n int, x *float32) float32 {
		m := float32(math.Inf(-1))
		for _, v := range span(x, n) {
			m = max(m, v)
		}
		return m
	},
	expSum: func(n int, dst, src *float32, s, bias float32) float32 {
		var sum float32
		to := span(dst, n)
		for i, v := range span(src, n) {
			to[i] = exp32(float32(v*s) + bias)
			sum += to[i]
		}
		return sum
	},
	swiglu: func(n int, y, gate, up *float32) {
		to, ups := span(y, n), span(up, n)
		for i, g := range span(gate, n) {
			to[i] = g * sigmoid(g) * ups[i]
		}
	},
	swigluBack: func(n int, dgate, dup, gate, up, dy *float32) {
		dgs, dus, gs, us, dys := span(dgate, n), span(dup, n), span(gate, n), span(up, n), span(dy, n)
		for i, d := range dys {
			g, u, s := gs[i], us[i], sigmoid(gs[i])
			dus[i] = d * (g * s)
			dgs[i] = d * u * (s + float32(g*s*(1-s)))
		}
	},
	adamw: func(n int, w, m, v, g *float32, clip, beta1, beta2, new1, new2, fix1, fix2, eps, lr, decay float32) {
		ws, ms, vs := span(w, n), span(m, n), span(v, n)
		for i, d := range span(g, n) {
			d *= clip
			ms[i] = float32(beta1*ms[i]) + float32(new1*d)
			vs[i] = float32(beta2*vs[i]) + float32(new2*(d*d))
			step := ms[i] * fix1 / (float32(math.Sqrt(float64(vs[i]*fix2))) + eps)
			ws[i] -= float32(lr*step) + float32(lr*decay*ws[i])
		}
	},
	dropAdd: func(n int, y, x *float32, key0, key1 uint32, limit int32, s float32) {
		ys, xs := span(y, n), span(x, n)
		for i := range ys {
			ys[i] = xs[i] + float32(ys[i]*keep(uint32(i), key0, key1, limit, s))
		}
	},
	dropMul: func(n int, y, x *float32, key0, key1 uint32, limit int32, s float32) {
		ys := span(y, n)
		for i, v := range span(x, n) {
			ys[i] = v * keep(uint32(i), key0, key1, limit, s)
		}
	},
	rotate: func(half, heads int, dst, src, cos, sin *float32) {
		cs, ss := span(cos, half), span(sin, half)
		for h := range heads {
			from := span(at(src, 8*half*h), 2*half)
			to := span(at(dst, 8*half*h), 2*half)
			for i := range half {
				x, y := from[i], from[i+half]
				to[i] = float32(x*cs[i]) - float32(y*ss[i])
				to[i+half] = float32(y*cs[i]) + float32(x*ss[i])
			}
		}
	},
}

// portableTile makes the tile of the given rows and vectors of eight columns.
func portableTile(rows, vecs int) tileFunc {
	return func(k int, a *float32, ra, ca int, b *float32, ldb int, c *float32, ldc, acc, last int) {
		n := 8*(vecs-1) + last
		for i := range rows {
			var sum [16]float32
			for p := range k {
				x := *at(a, i*ra+p*ca)
				for j, v := range span(at(b, p*ldb), n) {
					sum[j] += float32(x * v)
				}
			}
			row := span(at(c, i*ldc), n)
			if acc == 0 {
				copy(row, sum[:n])
				continue
			}
			for j := range row {
				row[j] += sum[j]
			}
		}
	}
}

func at(p *float32, bytes int) *float32 { return (*float32)(unsafe.Add(unsafe.Pointer(p), bytes)) }
func span(p *float32, n int) []float32  { return unsafe.Slice(p, n) }
func sigmoid(x float32) float32         { return 1 / (1 + exp32(-x)) }

// exp32 is the exponential with the limits of the assembly's, see gen/avx_vector.go.
func exp32(x float32) float32 {
	if x < -87.33 {
		return 0
	}
	return float32(math.Exp(float64(min(x, 88.37))))
}

// keep is s where the hash of element i lies above the limit, else 0.
func keep(i, key0, key1 uint32, limit int32, s float32) float32 {
	h := i + key0
	h ^= h >> 16
	h *= 0x7feb352d
	h ^= h >> 15
	h ^= key1
	h *= 0x846ca68b
	h ^= h >> 16
	if int32(h>>1) > limit {
		return s
	}
	return 0
}
