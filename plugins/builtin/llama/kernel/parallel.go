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
	readCost  = 16      // multiply-adds in the time that a number takes from beyond the cache of a core
)

// sweep cuts C into ranges of rows and of columns, and computes them on the workers.
func (p *Pool) sweep(m, n, k int, a Mat, b panelView, c []float32, ldc int, accumulate bool) {
	down, across := p.cut(m, n, k, b.nr)
	mr := p.im.mr
	tiles, panels := (m+mr-1)/mr, b.panels(n)
	p.run(down*across, 1, func(worker, lo, hi int) {
		for item := lo; item < hi; item++ {
			i, j := item/across, item%across
			i0, i1 := i*tiles/down*mr, min(m, (i+1)*tiles/down*mr)
			from, to := j*panels/across*b.nr, min(n, (j+1)*panels/across*b.nr)
			p.im.sweep(&p.scratch[worker].a, i1-i0, from, to, k, a.rows(i0), b, c[i0*ldc:], ldc, accumulate)
		}
	})
}

// cut chooses how many ranges of rows C is cut into, and how many of columns. Ranges differ by one tile at most. There are two
// to four a worker, which evens out what other processes take from one of them, and of all ways to have so many it is the one
// that takes the least: for the worker with the most tiles, and for what all read again.
func (p *Pool) cut(m, n, k, nr int) (down, across int) {
	threads := p.Threads()
	if threads == 1 {
		return 1, 1
	}
	mr := p.im.mr
	tiles, panels := (m+mr-1)/mr, (n+nr-1)/nr
	worth := max(1, m*n*k/workGrain, n*k/readGrain)
	least := -1
	for each := 2; each <= 4; each++ {
		want := min(each*threads, worth)
		for d := 1; d <= min(want, tiles); d++ {
			w := min(want/d, panels)
			if took := p.cost(m, n, k, d, w, nr); least < 0 || took < least {
				least, down, across = took, d, w
			}
		}
	}
	return down, across
}

// cost estimates the time of a product that is cut so, in multiply-adds.
func (p *Pool) cost(m, n, k, down, across, nr int) int {
	threads, mr := p.Threads(), p.im.mr
	high := ((m+mr-1)/mr + down - 1) / down * mr        // rows of the largest range
	wide := ((n+nr-1)/nr + across - 1) / across * nr    // its columns
	rounds := (down*across + threads - 1) / threads     // ranges that one worker computes
	passes := down * ((high + rowBlock - 1) / rowBlock) // how often all of B is read
	return k * (rounds*high*wide + (passes*n+across*m)*readCost/threads)
}
