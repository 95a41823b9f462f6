// Command gen writes the assembly of package kernel: run it through "go generate" in the kernel directory.
//
// The mental model: a routine is written once an architecture, in the files avx*.go and neon*.go, and put into a listing
// with its declaration in Go (listing.go). A loop body is emitted twice per routine: for full vectors, and for the last few
// lanes, so that no routine reads or writes past its slice.
//
// On amd64 a routine is emitted for AVX-512 and for AVX2 with FMA; what the two spell differently (masked moves, 2^n,
// reductions) is hidden in avx.go. On arm64 there is NEON alone; Go's assembler lacks most of its arithmetic on floats, and
// neon_words.go encodes that. The two share no routine: NEON multiplies by a lane, has 32 registers to keep constants in,
// and no operands in memory.
package main

import (
	"flag"
	"log"
	"os"
	"path/filepath"
	"sort"
)

func main() {
	out := flag.String("out", ".", "directory to write to")
	flag.Parse()
	files := Files()
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(*out, name), files[name], 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// Files gives every generated file by name.
func Files() map[string][]byte {
	wide, narrow := newAVX512(), newAVX2()
	for _, a := range []*assembler{wide, narrow} {
		tiles(a)
		vectors(a)
	}
	transpose(narrow)
	arm := newNEON()
	arm.tiles()
	arm.vectors()
	arm.transpose()
	return map[string][]byte{
		"kernel_avx512_amd64.s": wide.file(),
		"kernel_avx2_amd64.s":   narrow.file(),
		"stubs_amd64.go":        stubs(&wide.listing, &narrow.listing),
		"kernel_neon_arm64.s":   arm.file(),
		"stubs_arm64.go":        stubs(&arm.listing),
	}
}
