package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// each runs a test against every implementation that this machine has.
func each(t *testing.T, f func(t *testing.T, im *impl)) {
	t.Helper()
	for _, im := range implementations() {
		t.Run(im.name, func(t *testing.T) {
			t.Parallel()
			f(t, im)
		})
	}
}

func random(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// element reads op(m) at (i, j) the obvious way.
func element(m Mat, i, j int) float64 {
	if m.T {
		i, j = j, i
	}
	return float64(m.Data[i*m.LD+j])
}

// operand is a random matrix with room between its rows.
func operand(r *rand.Rand, rows, cols, gap int, transposed bool) Mat {
	if transposed {
		rows, cols = cols, rows
	}
	return Mat{Data: random(r, rows*(cols+gap)), LD: cols + gap, T: transposed}
}

type shape struct{ m, n, k, gap int }

var shapes = []shape{
	{1, 1, 1, 0}, {1, 17, 3, 0}, {2, 15, 5, 1}, {3, 33, 7, 0}, {5, 32, 8, 2}, {7, 31, 16, 0}, {11, 64, 31, 3}, {12, 48, 64, 0},
	{13, 1, 257, 0}, {12, 6, 9, 1}, {25, 10, 300, 0}, {31, 31, 16, 48}, {97, 65, 40, 0}, {25, 16, 300, 1}, {14, 100, 513, 0}, {100, 9, 600, 0}, {30, 40, 20, 1100},
	{50, 3000, 40, 0}, {3000, 50, 40, 0},
}

// Against a float64 product, at edges of every kind. The error of a chain of k fused multiply-adds is below k·2⁻²⁴ of
// the sum of magnitudes; half of that is not reached by random signs.
func TestGemmEqualsReference(t *testing.T) {
	each(t, func(t *testing.T, im *impl) {
		for _, s := range shapes {
			for variant := range 8 {
				ta, tb, acc := variant&1 != 0, variant&2 != 0, variant&4 != 0
				name := fmt.Sprintf("%v ta=%v tb=%v acc=%v", s, ta, tb, acc)
				r := rand.New(rand.NewPCG(1, uint64(variant)))
				a, b := operand(r, s.m, s.k, s.gap, ta), operand(r, s.k, s.n, s.gap, tb)
				ldc := s.n + s.gap
				c := random(r, s.m*ldc)
				got := slices.Clone(c)
				im.gemm(&Scratch{}, s.m, s.n, s.k, a, b, got, ldc, acc)
				for i := range s.m {
					for j := range ldc {
						if j >= s.n {
							if got[i*ldc+j] != c[i*ldc+j] {
								t.Fatalf("%s: wrote beside C at %d,%d", name, i, j)
							}
							continue
						}
						var want, size float64
						if acc {
							want = float64(c[i*ldc+j])
							size = math.Abs(want)
						}
						for p := range s.k {
							x := element(a, i, p) * element(b, p, j)
							want += x
							size += math.Abs(x)
						}
						if e := math.Abs(float64(got[i*ldc+j]) - want); e > size*float64(s.k+1)*0x1p-25+1e-7 {
							t.Fatalf("%s: C[%d,%d] = %g, want %g", name, i, j, got[i*ldc+j], want)
						}
					}
				}
			}
		}
	})
}

// The contract: a row's bits depend on that row of A and on B alone.
func TestGemmRowsStandAlone(t *testing.T) {
	each(t, func(t *testing.T, im *impl) {
		for _, s := range shapes {
			for variant := range 4 {
				ta, tb := variant&1 != 0, variant&2 != 0
				r := rand.New(rand.NewPCG(2, uint64(variant)))
				a, b := operand(r, s.m, s.k, s.gap, ta), operand(r, s.k, s.n, s.gap, tb)
				all := make([]float32, s.m*s.n)
				im.gemm(&Scratch{}, s.m, s.n, s.k, a, b, all, s.n, false)
				packed := im.packAll(s.n, s.k, b)
				for i := range s.m {
					row := make([]float32, s.k)
					for p := range row {
						row[p] = float32(element(a, i, p))
					}
					alone, fromPacked := make([]float32, s.n), make([]float32, s.n)
					im.gemm(&Scratch{}, 1, s.n, s.k, Mat{Data: row, LD: s.k}, b, alone, s.n, false)
					packed.Gemm(&Scratch{}, 1, Mat{Data: row, LD: s.k}, fromPacked, s.n, false)
					if !slices.Equal(alone, all[i*s.n:][:s.n]) || !slices.Equal(fromPacked, alone) {
						t.Fatalf("%v ta=%v tb=%v: row %d differs when it is computed alone", s, ta, tb, i)
					}
				}
			}
		}
	})
}

func TestPoolGemmIsIndependentOfThreads(t *testing.T) {
	each(t, func(t *testing.T, im *impl) {
		pools := []*Pool{newPool(1, im), newPool(2, im), newPool(3, im), newPool(5, im)}
		defer func() {
			for _, p := range pools {
				p.Close()
			}
		}()
		for _, s := range append(slices.Clone(shapes), shape{200, 300, 70, 0}, shape{70, 40, 1000, 0}, shape{350, 64, 64, 0}, shape{1, 1000, 300, 0}, shape{3, 500, 200, 0}) {
			for variant := range 8 {
				ta, tb, acc := variant&1 != 0, variant&2 != 0, variant&4 != 0
				r := rand.New(rand.NewPCG(3, uint64(variant)))
				a, b := operand(r, s.m, s.k, s.gap, ta), operand(r, s.k, s.n, s.gap, tb)
				c := random(r, s.m*s.n)
				want := slices.Clone(c)
				im.gemm(&Scratch{}, s.m, s.n, s.k, a, b, want, s.n, acc)
				packed := im.packAll(s.n, s.k, b)
				for _, p := range pools {
					got, fromPacked := slices.Clone(c), slices.Clone(c)
					p.Gemm(s.m, s.n, s.k, a, b, got, s.n, acc)
					p.GemmPacked(s.m, a, packed, fromPacked, s.n, acc)
					if !slices.Equal(got, want) || !slices.Equal(fromPacked, want) {
						t.Fatalf("%v ta=%v tb=%v acc=%v: %d threads give other bits", s, ta, tb, acc, p.Threads())
					}
				}
			}
		}
	})
}

func TestGemmWithoutInnerDimension(t *testing.T) {
	t.Parallel()
	c := []float32{1, 2, 3, 4}
	Gemm(&Scratch{}, 2, 2, 0, Mat{}, Mat{}, c, 2, true)
	if !slices.Equal(c, []float32{1, 2, 3, 4}) {
		t.Errorf("accumulating an empty product changed C: %v", c)
	}
	Gemm(&Scratch{}, 2, 1, 0, Mat{}, Mat{}, c, 2, false)
	if !slices.Equal(c, []float32{0, 2, 0, 4}) {
		t.Errorf("an empty product is zero: got %v", c)
	}
}

func TestGemmRefusesShortOperands(t *testing.T) {
	t.Parallel()
	long, short := make([]float32, 100), make([]float32, 5)
	for name, f := range map[string]func(){
		"A":    func() { Gemm(&Scratch{}, 2, 3, 4, Mat{Data: short, LD: 4}, Mat{Data: long, LD: 3}, long, 3, false) },
		"B":    func() { Gemm(&Scratch{}, 2, 3, 4, Mat{Data: long, LD: 4}, Mat{Data: short, LD: 3}, long, 3, false) },
		"C":    func() { Gemm(&Scratch{}, 2, 3, 4, Mat{Data: long, LD: 4}, Mat{Data: long, LD: 3}, short, 3, false) },
		"LD":   func() { Gemm(&Scratch{}, 2, 3, 4, Mat{Data: long, LD: 3}, Mat{Data: long, LD: 3}, long, 3, false) },
		"size": func() { Gemm(&Scratch{}, -1, 3, 4, Mat{Data: long, LD: 4}, Mat{Data: long, LD: 3}, long, 3, false) },
		"Axpy": func() { Axpy(long, short, 1) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if recover() == nil {
					t.Error("accepted")
				}
			}()
			f()
		})
	}
}

func TestPoolForCoversEachIndexOnce(t *testing.T) {
	t.Parallel()
	for _, threads := range []int{1, 2, 4} {
		p := NewPool(threads)
		for _, n := range []int{0, 1, 5, 64, 1001} {
			counts := make([]int, n)
			p.For(n, 7, func(_, lo, hi int) {
				for i := lo; i < hi; i++ {
					counts[i]++
				}
			})
			for i, c := range counts {
				if c != 1 {
					t.Errorf("%d threads, n %d: index %d ran %d times", threads, n, i, c)
				}
			}
		}
		p.Close()
		p.Close()
	}
}

func BenchmarkGemm(b *testing.B) {
	for _, s := range []struct {
		m, n, k int
		ta, tb  bool
	}{
		{1000, 192, 64, false, true}, {1000, 64, 64, false, true}, {1000, 352, 64, false, true}, {1000, 64, 176, false, true},
		{1000, 64, 192, false, false}, {1000, 64, 352, false, false}, {192, 64, 1000, true, false}, {352, 64, 1000, true, false},
		{64, 176, 1000, true, false}, {31, 31, 16, false, true}, {31, 16, 31, false, false}, {1024, 768, 768, false, true},
		{768, 768, 1024, true, false},
	} {
		for _, im := range implementations()[:1] {
			for _, threads := range []int{1, 2} {
				b.Run(fmt.Sprintf("%dx%dx%d/ta=%v/tb=%v/%s/threads=%d", s.m, s.n, s.k, s.ta, s.tb, im.name, threads), func(b *testing.B) {
					r := rand.New(rand.NewPCG(1, 1))
					x, y := operand(r, s.m, s.k, 0, s.ta), operand(r, s.k, s.n, 0, s.tb)
					c := make([]float32, s.m*s.n)
					p := newPool(threads, im)
					defer p.Close()
					for b.Loop() {
						p.Gemm(s.m, s.n, s.k, x, y, c, s.n, false)
					}
					b.ReportMetric(2*float64(s.m*s.n*s.k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
				})
			}
		}
	}
}
