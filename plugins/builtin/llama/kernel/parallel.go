package kernel

// Gemm is the function Gemm spread over the pool's workers: the same bits, whatever their number.
func (p *Pool) Gemm(m, n, k int, a, b Mat, c []float32, ldc int, accumulate bool) {
	if !product(m, n, k, a, b, c, ldc, accumulate) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	own := &p.scratch[0]
	view := p.im.view(b, m, n, k, &own.b)
	if view.packed {
		panels := view.panels(n)
		p.run(panels, max(1, packGrain/(k*view.nr)), func(_, lo, hi int) {
			p.im.pack(b, n, k, view.data, lo, hi)
		})
	}
	p.sweep(m, n, k, a, view, c, ldc, accumulate)
}

// GemmPacked is Packed.Gemm spread over the pool's workers: the same bits, whatever their number.
func (p *Pool) GemmPacked(m int, a Mat, b *Packed, c []float32, ldc int, accumulate bool) {
	if m == 0 {
		return
	}
	a.check("A", m, b.k)
	Mat{Data: c, LD: ldc}.check("C", m, b.n)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sweep(m, b.n, b.k, a, b.view, c, ldc, accumulate)
}

const (
	packGrain = 1 << 14 // numbers that a worker packs at a time
	workGrain = 1 << 17 // multiply-adds below which a range is not worth handing over
	readGrain = 1 << 15 // numbers of B below which a range is not: of a product with few rows, reading B is what takes time
)

// sweep cuts C into ranges of rows, and of columns when there are few rows, and computes them on the workers.
func (p *Pool) sweep(m, n, k int, a Mat, b panelView, c []float32, ldc int, accumulate bool) {
	rows, groups, perGroup := p.cut(m, n, k, b.nr)
	blocks := (m + rows - 1) / rows
	p.run(blocks*groups, 1, func(worker, lo, hi int) {
		for item := lo; item < hi; item++ {
			i0, from := item/groups*rows, item%groups*perGroup*b.nr
			to := min(n, from+perGroup*b.nr)
			p.im.sweep(&p.scratch[worker].a, min(rows, m-i0), from, to, k, a.rows(i0), b, c[i0*ldc:], ldc, accumulate)
		}
	})
}

// cut chooses ranges: rows a range, and columns in so many groups of panels. About three ranges a worker even out what
// other processes take from one of them.
func (p *Pool) cut(m, n, k, nr int) (rows, groups, perGroup int) {
	panels := (n + nr - 1) / nr
	threads := p.Threads()
	if threads == 1 {
		return m, 1, panels
	}
	want := min(3*threads, max(1, m*n*k/workGrain, n*k/readGrain))
	tile := p.im.mr
	rows = min(m, max(tile, min(rowBlock, (m+want-1)/want)+tile-1)/tile*tile)
	blocks := (m + rows - 1) / rows
	groups = min(panels, max(1, want/blocks))
	perGroup = (panels + groups - 1) / groups
	return rows, (panels + perGroup - 1) / perGroup, perGroup
}
