//go:build unix

package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"syscall"
	"testing"
	"unsafe"
)

// fence is memory between two pages that must not be touched.
type fence []float32

func newFence(t *testing.T) fence {
	t.Helper()
	page := syscall.Getpagesize()
	all, err := syscall.Mmap(-1, 0, 3*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Munmap(all) })
	for _, guard := range [][]byte{all[:page], all[2*page:]} {
		if err := syscall.Mprotect(guard, syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(&all[page])), page/4)
}

// put copies x to the beginning or to the end of the memory; numbers beside it are NaN.
func (f fence) put(x []float32, atEnd bool) []float32 {
	for i := range f {
		f[i] = float32(math.NaN())
	}
	to := f[:len(x):len(x)]
	if atEnd {
		to = f[len(f)-len(x):]
	}
	copy(to, x)
	return to
}

// fenced runs f on slices, then on the same numbers with a guard right before and right behind each slice: it must touch
// no guard, and write the same bits.
func fenced(t *testing.T, fences []fence, what string, x [][]float32, f func(x [][]float32)) {
	t.Helper()
	want := make([][]float32, len(x))
	for k := range x {
		want[k] = slices.Clone(x[k])
	}
	f(want)
	for _, atEnd := range []bool{false, true} {
		got := make([][]float32, len(x))
		for k := range x {
			got[k] = fences[k].put(x[k], atEnd)
		}
		if fault := faultOf(func() { f(got) }); fault != nil {
			t.Fatalf("%s: left its slices (guard behind them: %v): %v", what, atEnd, fault)
		}
		for k := range x {
			if !sameBits(got[k], want[k]) {
				t.Fatalf("%s: other bits in slice %d beside a guard: %v, want %v", what, k, got[k], want[k])
			}
		}
	}
}

func faultOf(f func()) (fault any) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() { fault = recover() }()
	f()
	return nil
}

func sameBits(x, y []float32) bool {
	return slices.EqualFunc(x, y, func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) })
}

func fencesFor(t *testing.T, n int) []fence {
	var fs []fence
	for range n {
		fs = append(fs, newFence(t))
	}
	return fs
}

func TestVectorRoutinesStayInTheirSlices(t *testing.T) {
	cases := vectorCases()
	more := func(name string, slices int, run func(im *impl, x [][]float32)) {
		cases = append(cases, vectorCase{name: name, slices: slices, run: run})
	}
	more("dot", 2, func(im *impl, x [][]float32) { x[0][0] = im.dot(len(x[0]), &x[0][0], &x[1][0]) })
	more("dot3", 3, func(im *impl, x [][]float32) { x[0][0] = im.dot3(len(x[0]), &x[0][0], &x[1][0], &x[2][0]) })
	more("max", 1, func(im *impl, x [][]float32) { x[0][0] = im.max(len(x[0]), &x[0][0]) })
	more("expSum", 2, func(im *impl, x [][]float32) { x[0][0] += im.expSum(len(x[0]), &x[0][0], &x[1][0], 0.5, -1) })
	more("dropAdd", 2, func(im *impl, x [][]float32) { im.dropAdd(len(x[0]), &x[0][0], &x[1][0], 1, 2, 1<<30, 2) })
	more("dropMul", 2, func(im *impl, x [][]float32) { im.dropMul(len(x[0]), &x[0][0], &x[1][0], 1, 2, 1<<30, 2) })
	each(t, func(t *testing.T, im *impl) {
		fences := fencesFor(t, 5)
		for n := 1; n <= 2*im.nr(); n++ {
			r := rand.New(rand.NewPCG(10, uint64(n)))
			for _, c := range cases {
				x := make([][]float32, c.slices)
				for k := range x {
					x[k] = random(r, n)
				}
				fenced(t, fences, fmt.Sprintf("%s of %d", c.name, n), x, func(x [][]float32) { c.run(im, x) })
			}
			const heads = 2
			fenced(t, fences, fmt.Sprintf("rotate of heads of %d", 2*n),
				[][]float32{random(r, 2*n*heads), random(r, 2*n*heads), random(r, n), random(r, n)},
				func(x [][]float32) { im.rotate(n, heads, &x[0][0], &x[1][0], &x[2][0], &x[3][0]) })
		}
	})
}

func TestTilesStayInTheirMatrices(t *testing.T) {
	each(t, func(t *testing.T, im *impl) {
		fences := fencesFor(t, 3)
		const k, gap = 3, 2
		r := rand.New(rand.NewPCG(11, 1))
		for rows := 1; rows <= im.mr; rows++ {
			for vecs := 1; vecs <= 2; vecs++ {
				for last := 1; last <= im.lanes; last++ {
					n := (vecs-1)*im.lanes + last
					ldb, ldc := n+gap, n+gap
					x := [][]float32{random(r, (rows-1)*(k+gap)+k), random(r, (k-1)*ldb+n), random(r, (rows-1)*ldc+n)}
					for acc := range 2 {
						fenced(t, fences, fmt.Sprintf("tile of %d rows and %d columns", rows, n), x, func(x [][]float32) {
							im.tiles[rows][vecs](k, &x[0][0], 4*(k+gap), 4, &x[1][0], 4*ldb, &x[2][0], 4*ldc, acc, last)
						})
					}
					x[0] = random(r, (k-1)*(rows+gap)+rows)
					fenced(t, fences, fmt.Sprintf("tile of %d columns of a transposed matrix and %d columns", rows, n), x, func(x [][]float32) {
						im.tiles[rows][vecs](k, &x[0][0], 4, 4*(rows+gap), &x[1][0], 4*ldb, &x[2][0], 4*ldc, 0, last)
					})
				}
			}
		}
		for blocks := 1; blocks <= 2; blocks++ {
			ld, ldd := 8*blocks+gap, im.nr()+gap
			x := [][]float32{random(r, 7*ld+8*blocks), random(r, (8*blocks-1)*ldd+8)}
			fenced(t, fences, "transpose8", x, func(x [][]float32) { im.transpose8(blocks, &x[0][0], 4*ld, &x[1][0], 4*ldd) })
		}
	})
}
