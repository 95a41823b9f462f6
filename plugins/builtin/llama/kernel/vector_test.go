package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// lengths meet every tail of 4, 8 and 16 lanes, alone and after whole vectors.
var lengths = []int{1, 2, 3, 5, 6, 7, 8, 9, 10, 13, 15, 16, 17, 23, 31, 32, 33, 40, 64, 100, 176, 1000}

// guarded is n random numbers with a guard behind them.
func guarded(r *rand.Rand, n int) (x []float32, intact func() bool) {
	all := random(r, n+32)
	for i := n; i < len(all); i++ {
		all[i] = 1234.5
	}
	return all[:n:n], func() bool {
		return !slices.ContainsFunc(all[n:], func(v float32) bool { return v != 1234.5 })
	}
}

// near compares with a float64 reference: absolute and relative error together below tol.
func near(t *testing.T, what string, got float32, want, tol float64) {
	t.Helper()
	if e := math.Abs(float64(got) - want); !(e <= tol*(1+math.Abs(want))) {
		t.Errorf("%s: got %g, want %g", what, got, want)
	}
}

// vectorCase is a routine with its definition: f runs it on slices, want gives element i of output o from the inputs.
type vectorCase struct {
	name    string
	slices  int
	outputs []int // which slices are written
	tol     float64
	run     func(im *impl, x [][]float32)
	want    func(x [][]float64, i int) []float64 // one number an output
}

func f64(xs [][]float32) [][]float64 {
	out := make([][]float64, len(xs))
	for k, x := range xs {
		for _, v := range x {
			out[k] = append(out[k], float64(v))
		}
	}
	return out
}

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func vectorCases() []vectorCase {
	return []vectorCase{
		{"scale", 1, []int{0}, 1e-6,
			func(im *impl, x [][]float32) { im.scale(len(x[0]), &x[0][0], 1.5) },
			func(x [][]float64, i int) []float64 { return []float64{x[0][i] * 1.5} }},
		{"axpy", 2, []int{0}, 1e-6,
			func(im *impl, x [][]float32) { im.axpy(len(x[0]), &x[0][0], &x[1][0], -0.7) },
			func(x [][]float64, i int) []float64 { return []float64{x[0][i] - float64(float32(0.7))*x[1][i]} }},
		{"normScale", 3, []int{0}, 1e-6,
			func(im *impl, x [][]float32) { im.normScale(len(x[0]), &x[0][0], &x[1][0], &x[2][0], 0.5) },
			func(x [][]float64, i int) []float64 { return []float64{x[1][i] * x[2][i] * 0.5} }},
		{"normBack", 5, []int{0, 1}, 2e-6,
			func(im *impl, x [][]float32) {
				im.normBack(len(x[0]), &x[0][0], &x[1][0], &x[2][0], &x[3][0], &x[4][0], 0.5, 0.25)
			},
			func(x [][]float64, i int) []float64 {
				d := 0.5 * x[4][i]
				return []float64{x[0][i] + d*x[3][i] - 0.25*x[2][i], x[1][i] + d*x[2][i]}
			}},
		{"softmaxBack", 2, []int{0}, 1e-6,
			func(im *impl, x [][]float32) { im.softmaxBack(len(x[0]), &x[0][0], &x[1][0], 0.5, 0.25) },
			func(x [][]float64, i int) []float64 { return []float64{(x[0][i] - 0.5) * x[1][i] * 0.25} }},
		{"swiglu", 3, []int{0}, 1e-6,
			func(im *impl, x [][]float32) { im.swiglu(len(x[0]), &x[0][0], &x[1][0], &x[2][0]) },
			func(x [][]float64, i int) []float64 { return []float64{x[1][i] * logistic(x[1][i]) * x[2][i]} }},
		{"swigluBack", 5, []int{0, 1}, 1e-6,
			func(im *impl, x [][]float32) {
				im.swigluBack(len(x[0]), &x[0][0], &x[1][0], &x[2][0], &x[3][0], &x[4][0])
			},
			func(x [][]float64, i int) []float64 {
				g, s := x[2][i], logistic(x[2][i])
				return []float64{x[4][i] * x[3][i] * (s + g*s*(1-s)), x[4][i] * g * s}
			}},
		{"adamw", 4, []int{0, 1, 2}, 1e-6,
			func(im *impl, x [][]float32) {
				for i, v := range x[2] {
					x[2][i] = v * v
				}
				im.adamw(len(x[0]), &x[0][0], &x[1][0], &x[2][0], &x[3][0], 0.5, 0.875, 0.75, 0.125, 0.25, 2, 3, 1e-3, 0.0625, 0.125)
			},
			func(x [][]float64, i int) []float64 {
				g := 0.5 * x[3][i]
				m := 0.875*x[1][i] + 0.125*g
				v := 0.75*x[2][i]*x[2][i] + 0.25*g*g
				return []float64{x[0][i] - 0.0625*(2*m/(math.Sqrt(3*v)+1e-3)+0.125*x[0][i]), m, v}
			}},
	}
}

func TestVectorRoutinesEqualTheirDefinition(t *testing.T) {
	each(t, func(t *testing.T, im *impl) {
		for _, c := range vectorCases() {
			for _, n := range lengths {
				r := rand.New(rand.NewPCG(5, uint64(n)))
				x, intact := make([][]float32, c.slices), make([]func() bool, c.slices)
				for k := range x {
					x[k], intact[k] = guarded(r, n)
				}
				before := f64(x)
				c.run(im, x)
				for i := range n {
					for o, want := range c.want(before, i) {
						near(t, fmt.Sprintf("%s, %d numbers, output %d[%d]", c.name, n, o, i), x[c.outputs[o]][i], want, c.tol)
					}
				}
				for k := range x {
					if !intact[k]() {
						t.Errorf("%s, %d numbers: wrote behind slice %d", c.name, n, k)
					}
				}
			}
		}
	})
}

// Where an output may be an input's own slice, it has the bits that a slice of its own gets.
func TestOutputsMayReplaceInputs(t *testing.T) {
	each(t, func(t *testing.T, im *impl) {
		for _, n := range lengths {
			r := rand.New(rand.NewPCG(12, uint64(n)))
			gate, up, dy := random(r, n), random(r, n), random(r, n)
			dgate, dup, e := make([]float32, n), make([]float32, n), make([]float32, n)
			im.swigluBack(n, &dgate[0], &dup[0], &gate[0], &up[0], &dy[0])
			sum := im.expSum(n, &e[0], &dy[0], 0.5, -1)
			im.swigluBack(n, &gate[0], &up[0], &gate[0], &up[0], &dy[0])
			if !slices.Equal(gate, dgate) || !slices.Equal(up, dup) {
				t.Errorf("swigluBack of %d numbers in place: other bits", n)
			}
			if again := im.expSum(n, &dy[0], &dy[0], 0.5, -1); again != sum || !slices.Equal(dy, e) {
				t.Errorf("expSum of %d numbers in place: other bits", n)
			}
		}
	})
}

func TestReductionsEqualTheirDefinition(t *testing.T) {
	each(t, func(t *testing.T, im *impl) {
		for _, n := range lengths {
			r := rand.New(rand.NewPCG(6, uint64(n)))
			x, y, z := random(r, n), random(r, n), random(r, n)
			var dot, dot3, size float64
			largest := math.Inf(-1)
			for i := range x {
				dot += float64(x[i]) * float64(y[i])
				dot3 += float64(x[i]) * float64(y[i]) * float64(z[i])
				size += math.Abs(float64(x[i])*float64(y[i])) * (1 + math.Abs(float64(z[i])))
				largest = max(largest, float64(x[i]))
			}
			near(t, fmt.Sprint("dot of ", n), im.dot(n, &x[0], &y[0]), dot, 1e-6*size)
			near(t, fmt.Sprint("dot3 of ", n), im.dot3(n, &x[0], &y[0], &z[0]), dot3, 1e-6*size)
			if got := im.max(n, &x[0]); float64(got) != largest {
				t.Errorf("max of %d: %g, want %g", n, got, largest)
			}
			for i := range x {
				x[i] = -2 - x[i]*x[i]
			}
			if got := im.max(n, &x[0]); got > -2 {
				t.Errorf("max of %d numbers below −2 is %g", n, got)
			}
		}
	})
}

func TestExpSum(t *testing.T) {
	each(t, func(t *testing.T, im *impl) {
		for _, n := range lengths {
			r := rand.New(rand.NewPCG(7, uint64(n)))
			x, intact := guarded(r, n)
			for i := range x {
				x[i] *= 30
			}
			in := slices.Clone(x)
			got := im.expSum(n, &x[0], &x[0], 0.5, -1)
			var sum float64
			for i, v := range in {
				want := math.Exp(float64(v)*0.5 - 1)
				sum += want
				if e := math.Abs(float64(x[i])-want) / want; e > 1e-5 { // of which 2⁻²⁴ of an argument of 50 is most
					t.Errorf("exp(%g) = %g, want %g", v*0.5-1, x[i], want)
				}
			}
			near(t, "sum", got, sum, 1e-5)
			if !intact() {
				t.Errorf("%d numbers: wrote behind the slice", n)
			}
		}
	})
}

// The whole range in small steps: relative error, the limits, and what is not a number.
func TestExpAccuracyAndLimits(t *testing.T) {
	each(t, func(t *testing.T, im *impl) {
		var worst float64
		for x := float32(-87); x < 88; x += 0.0137 {
			in := []float32{x}
			im.expSum(1, &in[0], &in[0], 1, 0)
			want := math.Exp(float64(x))
			worst = max(worst, math.Abs(float64(in[0])-want)/want)
		}
		if worst > 2e-7 {
			t.Errorf("relative error %.2g", worst)
		}
		inf := float32(math.Inf(1))
		in := []float32{-87.4, -1000, -inf, 0, 89, inf, float32(math.NaN())}
		im.expSum(len(in), &in[0], &in[0], 1, 0)
		high := math.Exp(88.37)
		for i, want := range []float64{0, 0, 0, 1, high, high} {
			near(t, fmt.Sprint("limit ", i), in[i], want, 1e-5)
		}
		if in[1] != 0 || in[2] != 0 {
			t.Errorf("below the range: %g and %g, want exactly 0", in[1], in[2])
		}
		if in[6] == in[6] {
			t.Errorf("exp(NaN) = %g", in[6])
		}
	})
}

func TestRotateTurnsPairsOfHalves(t *testing.T) {
	each(t, func(t *testing.T, im *impl) {
		for _, half := range []int{1, 3, 5, 8, 9, 16, 24, 32} {
			const heads = 3
			r := rand.New(rand.NewPCG(8, uint64(half)))
			x, intact := guarded(r, 2*half*heads)
			cos, sin, neg := make([]float32, half), make([]float32, half), make([]float32, half)
			for i := range cos {
				s, c := math.Sincos(float64(i) + 0.5)
				cos[i], sin[i], neg[i] = float32(c), float32(s), float32(-s)
			}
			turned := make([]float32, len(x))
			im.rotate(half, heads, &turned[0], &x[0], &cos[0], &sin[0])
			for h := range heads {
				for i := range half {
					a, b := float64(x[2*half*h+i]), float64(x[2*half*h+half+i])
					c, s := float64(cos[i]), float64(sin[i])
					near(t, "first of a pair", turned[2*half*h+i], a*c-b*s, 1e-6)
					near(t, "second of a pair", turned[2*half*h+half+i], b*c+a*s, 1e-6)
				}
			}
			want := slices.Clone(x)
			copy(x, turned)
			im.rotate(half, heads, &x[0], &x[0], &cos[0], &neg[0]) // in place
			for i := range x {
				near(t, "turned back", x[i], float64(want[i]), 1e-6)
			}
			if !intact() {
				t.Errorf("heads of %d: wrote behind the slice", 2*half)
			}
		}
	})
}

// What is dropped is the same on every implementation: a checkpoint may move.
func TestDropoutIsAFunctionOfKeyAndIndex(t *testing.T) {
	each(t, func(t *testing.T, im *impl) {
		for _, n := range lengths {
			r := rand.New(rand.NewPCG(9, uint64(n)))
			x, intact := guarded(r, n)
			y := random(r, n)
			sum, out := slices.Clone(y), make([]float32, n)
			d := NewDropout(0.3)
			const key0, key1 = 0xdeadbeef, 0x12345678
			im.dropMul(n, &out[0], &x[0], key0, key1, d.limit, d.scale)
			im.dropAdd(n, &sum[0], &x[0], key0, key1, d.limit, d.scale)
			for i := range x {
				k := keep(uint32(i), key0, key1, d.limit, d.scale)
				if out[i] != k*x[i] {
					t.Errorf("%d numbers: mul[%d] = %g, want %g·%g", n, i, out[i], k, x[i])
				}
				near(t, "add", sum[i], float64(x[i])+float64(k)*float64(y[i]), 1e-6)
			}
			if !intact() {
				t.Errorf("%d numbers: wrote behind the slice", n)
			}
		}
	})
}

func TestDropoutKeepsItsShareIndependently(t *testing.T) {
	t.Parallel()
	const n, rows = 64, 4000
	ones, x := make([]float32, n), make([]float32, n)
	for i := range ones {
		ones[i] = 1
	}
	for _, p := range []float64{0, 0.05, 0.5, 0.9} {
		d := NewDropout(p)
		var kept, pairs, before float64
		for row := range uint64(rows) {
			d.Mul(x, ones, row*0x9e3779b97f4a7c15)
			for _, v := range x {
				k := 0.0
				if v != 0 {
					near(t, "scale", v, 1/(1-p), 1e-6)
					k = 1
				}
				kept += k
				pairs += k * before
				before = k
			}
		}
		total := float64(n * rows)
		spread := 5 * math.Sqrt(p*(1-p)/total)
		if math.Abs(kept/total-(1-p)) > spread {
			t.Errorf("dropout %g keeps %g", p, kept/total)
		}
		if math.Abs(pairs/total-(1-p)*(1-p)) > 2*spread+2/total {
			t.Errorf("dropout %g keeps neighbours together with probability %g", p, pairs/total)
		}
	}
}

func TestSoftmaxAndNorm(t *testing.T) {
	t.Parallel()
	x := []float32{1000, 1001, 1002.5}
	logSum := Softmax(x, 0.5)
	var z float64
	for _, v := range []float64{-1.25, -0.75, 0} {
		z += math.Exp(v)
	}
	near(t, "logarithm of the sum", logSum, 501.25+math.Log(z), 1e-6)
	near(t, "probability", x[0], math.Exp(-1.25)/z, 1e-6)
	near(t, "sum of probabilities", x[0]+x[1]+x[2], 1, 1e-6)

	y := make([]float32, 3)
	r := RMSNorm(y, []float32{1, 2, 2}, []float32{1, 0.5, -1}, 1e-5)
	near(t, "factor", r, 1/math.Sqrt(3+1e-5), 1e-6)
	near(t, "norm", y[2], -2/math.Sqrt(3+1e-5), 1e-6)
}

func BenchmarkVector(b *testing.B) {
	const n = 64
	r := rand.New(rand.NewPCG(1, 1))
	x, y, z := random(r, n), random(r, n), random(r, n)
	for _, c := range []struct {
		name string
		f    func()
	}{
		{"Dot", func() { Dot(x, y) }},
		{"ExpSum", func() { ExpSum(y, x, 1, 0) }},
		{"RMSNorm", func() { RMSNorm(y, x, z, 1e-5) }},
		{"SwiGLU", func() { SwiGLU(y, x, z) }},
		{"Dropout", func() { NewDropout(0.1).Mul(y, x, 7) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				c.f()
			}
			b.SetBytes(4 * n)
		})
	}
}
