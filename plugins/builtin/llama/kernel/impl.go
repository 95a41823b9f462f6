package kernel

import "runtime"

// maxTileRows is the largest number of rows that a tile of any implementation has.
const maxTileRows = 12

// tileFunc computes C (+)= A·B for one register tile; see gen/avx_gemm.go. Strides are in bytes.
type tileFunc func(k int, a *float32, ra, ca int, b *float32, ldb int, c *float32, ldc, acc, last int)

// impl is one implementation of the routines: an instruction set, or portable Go. Lengths are positive.
type impl struct {
	name  string
	mr    int                          // rows of the largest tile
	lanes int                          // columns of a tile: lanes or 2·lanes
	tiles [maxTileRows + 1][3]tileFunc // by rows and vectors

	transpose8 func(blocks int, src *float32, ld int, dst *float32, ldd int)

	scale       func(n int, x *float32, s float32)
	axpy        func(n int, y, x *float32, s float32)
	normScale   func(n int, y, x, gain *float32, r float32)
	normBack    func(n int, dx, dgain, x, gain, dy *float32, r, c float32)
	softmaxBack func(n int, ds, p *float32, sum, s float32)
	dot         func(n int, x, y *float32) float32
	dot3        func(n int, x, y, z *float32) float32
	max         func(n int, x *float32) float32
	expSum      func(n int, dst, src *float32, s, bias float32) float32
	swiglu      func(n int, y, gate, up *float32)
	swigluBack  func(n int, dgate, dup, gate, up, dy *float32)
	adamw       func(n int, w, m, v, g *float32, clip, beta1, beta2, new1, new2, fix1, fix2, eps, lr, decay float32)
	dropAdd     func(n int, y, x *float32, key0, key1 uint32, limit int32, s float32)
	dropMul     func(n int, y, x *float32, key0, key1 uint32, limit int32, s float32)
	rotate      func(half, heads int, dst, src, cos, sin *float32)
}

// nr is the number of columns of a panel of B.
func (im *impl) nr() int { return 2 * im.lanes }

// machine is the implementation in use: the first that the processor can run.
var machine = implementations()[0]

// Implementation names the implementation in use: "avx512", "avx2", "neon" or "portable".
func Implementation() string { return machine.name }

// Describe names the implementation with what it runs on, such as "avx512 on linux/amd64".
func Describe() string { return machine.name + " on " + runtime.GOOS + "/" + runtime.GOARCH }
