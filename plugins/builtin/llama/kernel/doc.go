// Package kernel holds the numeric routines that training and inference share: matrix products, the vector routines of
// a transformer, and a pool of workers to spread them.
//
// Everything is float32, row-major, in slices of the caller. There is no tensor type and no memory management; a matrix
// is a slice and a leading dimension (the distance between rows).
//
// # The bitwise contract
//
// A row of C depends on that row of A, on B and on C's own old row, and on nothing else: not on the number of rows, on
// the row's place among them, on the leading dimensions, or on the number of threads. Each element is one chain of
// fused multiply-adds per block of 256 in k, in the order of k, and the blocks are added in order; every code path, edges
// included, does exactly that. Vector routines depend on their arguments' values and lengths only. Hence a sample does
// not depend on the batch it was decoded in, a gradient not on the number of threads, and a resumed run repeats an
// undisturbed one bit for bit.
//
// The contract holds within one implementation. AVX-512, AVX2, NEON and portable Go round differently, so the same run on
// another kind of processor may differ in the last bits. Implementation names the one in use; it is chosen once, from
// what the processor has.
//
// # Two layers
//
// Exported functions check the sizes of their arguments and panic on a mistake, as an index out of range would. The
// assembly below them checks nothing. It is written by kernel/gen (go generate) and needs no cgo and no build flags. There
// are AVX-512 and AVX2 with FMA for amd64, and NEON for arm64, which every such processor has; on other architectures, and
// on amd64 without AVX2, the portable code of portable.go takes their place.
//
// NEON's results are tested in an emulator (make test-arm64). Its speed has not been measured: no figure of this project
// comes from an arm64 processor.
package kernel

//go:generate go run ./gen
