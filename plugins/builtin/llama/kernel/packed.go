package kernel

import "fmt"

// Packed is a matrix laid out for being the right operand of many products, such as the weights of a model that only
// decodes. It holds a copy.
type Packed struct {
	n, k int
	view panelView
	im   *impl
}

// Pack lays out op(B), k × n.
func Pack(n, k int, b Mat) *Packed { return machine.packAll(n, k, b) }

func (im *impl) packAll(n, k int, b Mat) *Packed {
	if n < 1 || k < 1 {
		panic(fmt.Sprintf("kernel: pack a matrix of %d × %d", k, n))
	}
	b.check("B", k, n)
	nr := im.nr()
	panels := (n + nr - 1) / nr
	p := &Packed{n: n, k: k, im: im, view: panelView{data: make([]float32, k*panels*nr), nr: nr, n: panels * nr, packed: true}}
	im.pack(b, n, k, p.view.data, 0, panels)
	return p
}

// Cols is n, the number of columns of a product with p.
func (p *Packed) Cols() int { return p.n }

// Rows is k, the number of columns that the left operand must have.
func (p *Packed) Rows() int { return p.k }

// Gemm computes C = op(A)·P, or C += op(A)·P with accumulate, on the calling goroutine: op(A) is m × Rows, C is m × Cols
// with leading dimension ldc. The result has the bits of the function Gemm's.
func (p *Packed) Gemm(s *Scratch, m int, a Mat, c []float32, ldc int, accumulate bool) {
	if m == 0 {
		return
	}
	a.check("A", m, p.k)
	Mat{Data: c, LD: ldc}.check("C", m, p.n)
	p.im.sweep(&s.a, m, 0, p.n, p.k, a, p.view, c, ldc, accumulate)
}
