package kernel

import (
	"fmt"
	"math"
)

// same panics unless all slices are as long as the first.
func same(name string, n int, others ...int) {
	for _, o := range others {
		if o != n {
			panic(fmt.Sprintf("kernel: %s of slices of %d and %d numbers", name, n, o))
		}
	}
}

// Scale multiplies x by s in place.
func Scale(x []float32, s float32) {
	if len(x) > 0 {
		machine.scale(len(x), &x[0], s)
	}
}

// Axpy adds s·x to y.
func Axpy(y, x []float32, s float32) {
	same("Axpy", len(y), len(x))
	if len(x) > 0 {
		machine.axpy(len(x), &y[0], &x[0], s)
	}
}

// Dot is the sum of x·y, 0 for empty slices.
func Dot(x, y []float32) float32 {
	same("Dot", len(x), len(y))
	if len(x) == 0 {
		return 0
	}
	return machine.dot(len(x), &x[0], &y[0])
}

// Max is the largest number of x, −∞ when x is empty.
func Max(x []float32) float32 {
	if len(x) == 0 {
		return float32(math.Inf(-1))
	}
	return machine.max(len(x), &x[0])
}

// ExpSum sets dst to exp(src·s + bias) and gives its sum; dst may be src. The exponential has a relative error of about
// 1e-7, is exactly 0 below an argument of −87.33, and is held at its value for 88.37 above that.
func ExpSum(dst, src []float32, s, bias float32) float32 {
	same("ExpSum", len(dst), len(src))
	if len(src) == 0 {
		return 0
	}
	return machine.expSum(len(src), &dst[0], &src[0], s, bias)
}

// Softmax replaces x by exp(x·s)/Σ exp(x·s) and gives the logarithm of that sum: ln Σ exp(x·s).
func Softmax(x []float32, s float32) (logSum float32) {
	if len(x) == 0 {
		return float32(math.Inf(-1))
	}
	top := Max(x) * s
	sum := ExpSum(x, x, s, -top)
	Scale(x, 1/sum)
	return top + float32(math.Log(float64(sum)))
}

// SoftmaxBack turns the gradient ds of a row of probabilities p into that of the scaled scores: ds = (ds − sum)·p·s,
// where sum is Σ ds·p.
func SoftmaxBack(ds, p []float32, sum, s float32) {
	same("SoftmaxBack", len(ds), len(p))
	if len(ds) > 0 {
		machine.softmaxBack(len(ds), &ds[0], &p[0], sum, s)
	}
}

// RMSNorm sets y to x·gain/√(mean(x²)+eps) (Zhang and Sennrich 2019) and gives the factor 1/√(…).
func RMSNorm(y, x, gain []float32, eps float64) (r float32) {
	same("RMSNorm", len(x), len(y), len(gain))
	if len(x) == 0 {
		return 0
	}
	square := float64(machine.dot(len(x), &x[0], &x[0]))
	r = float32(1 / math.Sqrt(square/float64(len(x))+eps))
	machine.normScale(len(x), &y[0], &x[0], &gain[0], r)
	return r
}

// RMSNormBack adds the gradients of RMSNorm's input and gain, r as RMSNorm gave it:
// dx += r·gain·dy − x·r³·mean(gain·dy·x) and dgain += r·dy·x.
func RMSNormBack(dx, dgain, x, gain, dy []float32, r float32) {
	same("RMSNormBack", len(x), len(dx), len(dgain), len(gain), len(dy))
	n := len(x)
	if n == 0 {
		return
	}
	c := machine.dot3(n, &x[0], &gain[0], &dy[0]) * r * r * r / float32(n)
	machine.normBack(n, &dx[0], &dgain[0], &x[0], &gain[0], &dy[0], r, c)
}

// SwiGLU sets y to gate·σ(gate)·up (Shazeer 2020).
func SwiGLU(y, gate, up []float32) {
	same("SwiGLU", len(y), len(gate), len(up))
	if len(y) > 0 {
		machine.swiglu(len(y), &y[0], &gate[0], &up[0])
	}
}

// SwiGLUBack sets the gradients of SwiGLU's inputs; they may be the inputs' own slices.
func SwiGLUBack(dgate, dup, gate, up, dy []float32) {
	same("SwiGLUBack", len(dy), len(dgate), len(dup), len(gate), len(up))
	if len(dy) > 0 {
		machine.swigluBack(len(dy), &dgate[0], &dup[0], &gate[0], &up[0], &dy[0])
	}
}

// Rotate turns each head of src, one after the other, by rotary angles: element i of a head with element i + len(cos).
// cos and sin belong to one position; dst may be src. With −sin it is the inverse, which is also the gradient.
func Rotate(dst, src, cos, sin []float32) {
	half := len(cos)
	same("Rotate", half, len(sin))
	same("Rotate", len(dst), len(src))
	if len(src) == 0 {
		return
	}
	if half == 0 || len(src)%(2*half) != 0 {
		panic(fmt.Sprintf("kernel: Rotate of %d numbers with heads of %d", len(src), 2*half))
	}
	machine.rotate(half, len(src)/(2*half), &dst[0], &src[0], &cos[0], &sin[0])
}

// AdamW is one update's constants (Loshchilov and Hutter 2019): gradients are multiplied by Clip first, Decay is
// decoupled, and Fix1 and Fix2 are the bias corrections 1/(1−β^t).
type AdamW struct {
	Clip, Beta1, Beta2, Fix1, Fix2, Eps, LR, Decay float32
}

// Update makes one step on weights w with moments m and v and gradients g.
func (o AdamW) Update(w, m, v, g []float32) {
	same("AdamW", len(w), len(m), len(v), len(g))
	if len(w) > 0 {
		machine.adamw(len(w), &w[0], &m[0], &v[0], &g[0],
			o.Clip, o.Beta1, o.Beta2, 1-o.Beta1, 1-o.Beta2, o.Fix1, o.Fix2, o.Eps, o.LR, o.Decay)
	}
}

// Dropout keeps each number with probability 1 − p and scales the kept ones by 1/(1−p). What is kept is a pure function
// of a key and of the number's index.
type Dropout struct {
	limit int32
	scale float32
}

// NewDropout makes dropout with probability p in [0, 1), in steps of 2⁻³¹.
func NewDropout(p float64) Dropout {
	if !(p >= 0 && p < 1) {
		panic(fmt.Sprintf("kernel: dropout %g outside [0, 1)", p))
	}
	return Dropout{limit: int32(p*(1<<31)) - 1, scale: float32(1 / (1 - p))}
}

// Add sets y to x plus y with its dropped numbers removed: the end of a residual branch.
func (d Dropout) Add(y, x []float32, key uint64) {
	same("Dropout", len(y), len(x))
	if len(y) > 0 {
		machine.dropAdd(len(y), &y[0], &x[0], uint32(key), uint32(key>>32), d.limit, d.scale)
	}
}

// Mul sets y to x with its dropped numbers removed: the gradient of Add with the same key.
func (d Dropout) Mul(y, x []float32, key uint64) {
	same("Dropout", len(y), len(x))
	if len(y) > 0 {
		machine.dropMul(len(y), &y[0], &x[0], uint32(key), uint32(key>>32), d.limit, d.scale)
	}
}
