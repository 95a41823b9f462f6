package kernel

import "fmt"

const (
	// kBlock is the number of k that one tile runs down before it goes back to C. It is part of the bitwise contract:
	// another value rounds differently. 256 rows of a 32-column panel fill an L1 cache of 32 KiB.
	kBlock = 256
	// rowBlock is the number of rows of A that are swept over all of B at a time, so that they stay in cache.
	rowBlock = 96
	// stridedA and stridedB are the leading dimensions from which rows of a tile lie so far apart that they fight for cache
	// sets: beyond them the operand is copied together first. Copying B pays later: a panel serves all rows of C, and the
	// whole of B is written once more.
	stridedA = 512
	stridedB = 1024
)

// Scratch is the working memory of one goroutine's matrix products. The zero value is ready.
type Scratch struct {
	b []float32 // B, transposed or copied together
	a []float32 // one block of A, copied together
}

// Mat is a matrix as an operand: row-major data with a leading dimension, read as its transpose when T is set.
type Mat struct {
	Data []float32
	LD   int
	T    bool
}

// check panics unless m holds a rows × cols operand.
func (m Mat) check(name string, rows, cols int) {
	if m.T {
		rows, cols = cols, rows
	}
	if m.LD < cols || len(m.Data) < (rows-1)*m.LD+cols {
		panic(fmt.Sprintf("kernel: %s holds %d numbers at leading dimension %d: too few for %d × %d", name, len(m.Data), m.LD, rows, cols))
	}
}

// rows is the operand without its first i rows.
func (m Mat) rows(i int) Mat {
	if m.T {
		m.Data = m.Data[i:]
	} else {
		m.Data = m.Data[i*m.LD:]
	}
	return m
}

// Gemm computes C = op(A)·op(B), or C += op(A)·op(B) with accumulate, on the calling goroutine. op(A) is m × k, op(B)
// is k × n, C is m × n with leading dimension ldc and overlaps neither. Without accumulate and with k = 0, C is zero.
func Gemm(s *Scratch, m, n, k int, a, b Mat, c []float32, ldc int, accumulate bool) {
	machine.gemm(s, m, n, k, a, b, c, ldc, accumulate)
}

func (im *impl) gemm(s *Scratch, m, n, k int, a, b Mat, c []float32, ldc int, accumulate bool) {
	if !product(m, n, k, a, b, c, ldc, accumulate) {
		return
	}
	view := im.view(b, m, n, k, &s.b)
	if view.packed {
		im.pack(b, n, k, s.b, 0, view.panels(n))
	}
	im.sweep(&s.a, m, 0, n, k, a, view, c, ldc, accumulate)
}

// product checks the operands of a matrix product, and settles the empty ones: it reports whether work is left.
func product(m, n, k int, a, b Mat, c []float32, ldc int, accumulate bool) bool {
	if m < 0 || n < 0 || k < 0 {
		panic(fmt.Sprintf("kernel: negative size %d × %d × %d", m, n, k))
	}
	if m == 0 || n == 0 {
		return false
	}
	Mat{Data: c, LD: ldc}.check("C", m, n)
	if k == 0 {
		if !accumulate {
			for i := range m {
				clear(c[i*ldc:][:n])
			}
		}
		return false
	}
	a.check("A", m, k)
	b.check("B", k, n)
	return true
}

// panelView says how the tiles find B: as it lies, or packed. Packed B is, per block of k, one panel of nr columns after
// the other, each [k of the block, nr].
type panelView struct {
	data   []float32
	nr     int
	n      int // columns, rounded up to panels when packed
	ld     int // as it lies: the leading dimension
	packed bool
}

func (v panelView) panels(n int) int { return (n + v.nr - 1) / v.nr }

// panel gives panel j of the block of k that starts at k0 and has kc rows, and its leading dimension.
func (v panelView) panel(j, k0, kc int) (*float32, int) {
	if v.packed {
		return &v.data[k0*v.n+j*kc*v.nr], v.nr
	}
	return &v.data[k0*v.ld+j*v.nr], v.ld
}

// view decides whether B is packed, and makes room for it.
func (im *impl) view(b Mat, m, n, k int, room *[]float32) panelView {
	if !b.T && (b.LD < stridedB || m <= im.mr) {
		return panelView{data: b.Data, nr: im.nr(), n: n, ld: b.LD}
	}
	v := panelView{nr: im.nr(), packed: true}
	v.n = v.panels(n) * v.nr
	if cap(*room) < k*v.n {
		*room = make([]float32, k*v.n)
	}
	v.data = (*room)[:k*v.n]
	return v
}

// pack fills panels lo … hi−1 of a packed view from B. Columns beyond n are left as they are: tiles mask them.
func (im *impl) pack(b Mat, n, k int, room []float32, lo, hi int) {
	nr := im.nr()
	width := (n + nr - 1) / nr * nr
	for k0 := 0; k0 < k; k0 += kBlock {
		kc := min(kBlock, k-k0)
		for j := lo; j < hi; j++ {
			to := room[k0*width+j*kc*nr:][:kc*nr]
			cols := min(nr, n-j*nr)
			if b.T {
				im.packTransposed(to, b.Data[j*nr*b.LD+k0:], b.LD, cols, kc)
				continue
			}
			from := b.Data[k0*b.LD+j*nr:]
			for p := range kc {
				copy(to[p*nr:][:cols], from[p*b.LD:])
			}
		}
	}
}

// packTransposed writes the rows of from, cols of them of kc numbers, as the columns of a panel.
func (im *impl) packTransposed(to, from []float32, ld, cols, kc int) {
	nr := im.nr()
	whole := 0
	if cols >= 8 {
		whole = kc / 8
	}
	if whole > 0 {
		for r := 0; r < cols; r += 8 {
			first := min(r, cols-8) // the last eight may overlap: they write the same numbers
			im.transpose8(whole, &from[first*ld], 4*ld, &to[first], 4*nr)
		}
	}
	for r := range cols {
		for p := 8 * whole; p < kc; p++ {
			to[p*nr+r] = from[r*ld+p]
		}
	}
}

// sweep computes rows 0 … m−1 and columns from … to−1 of C; from is a multiple of nr.
func (im *impl) sweep(room *[]float32, m, from, to, k int, a Mat, b panelView, c []float32, ldc int, accumulate bool) {
	for i0 := 0; i0 < m; i0 += rowBlock {
		rows := min(rowBlock, m-i0)
		for k0 := 0; k0 < k; k0 += kBlock {
			kc := min(kBlock, k-k0)
			base, ra, ca := im.block(room, a, i0, rows, k0, kc)
			acc := 1
			if k0 == 0 && !accumulate {
				acc = 0
			}
			for j := from / b.nr; j*b.nr < to; j++ {
				cols := min(b.nr, to-j*b.nr)
				vecs := (cols + im.lanes - 1) / im.lanes
				last := cols - (vecs-1)*im.lanes
				panel, ldb := b.panel(j, k0, kc)
				for i := 0; i < rows; i += im.mr {
					r := min(im.mr, rows-i)
					im.tiles[r][vecs](kc, &base[i*ra], 4*ra, 4*ca, panel, 4*ldb, &c[(i0+i)*ldc+j*b.nr], 4*ldc, acc, last)
				}
			}
		}
	}
}

// block gives rows i0 … of A at k0 …: where element (i, p) lies at i·ra + p·ca.
func (im *impl) block(room *[]float32, a Mat, i0, rows, k0, kc int) (base []float32, ra, ca int) {
	if a.LD < stridedA || rows <= im.mr {
		if a.T {
			return a.Data[k0*a.LD+i0:], 1, a.LD
		}
		return a.Data[i0*a.LD+k0:], a.LD, 1
	}
	if cap(*room) < rowBlock*kBlock {
		*room = make([]float32, rowBlock*kBlock)
	}
	to := (*room)[:rowBlock*kBlock]
	if a.T {
		for p := range kc {
			copy(to[p*rowBlock:][:rows], a.Data[(k0+p)*a.LD+i0:])
		}
		return to, 1, rowBlock
	}
	for i := range rows {
		copy(to[i*kBlock:][:kc], a.Data[(i0+i)*a.LD+k0:])
	}
	return to, kBlock, 1
}
