// Command gen writes the amd64 assembly of package kernel: run it through "go generate" in the kernel directory.
//
// The mental model: a routine is written once, against an instruction set (isa) that says how wide a vector is, and
// is emitted twice, for AVX-512 and for AVX2 with FMA. A loop body is emitted twice per routine: for full vectors, and
// for the last few lanes under a mask, so that no routine reads or writes past its slice. What the two instruction
// sets spell differently (masked moves, 2^n, reductions) is hidden in asm.go; gemm.go and vector.go hold the routines.
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
	return map[string][]byte{
		"kernel_avx512_amd64.s": wide.file(),
		"kernel_avx2_amd64.s":   narrow.file(),
		"stubs_amd64.go":        stubs(&wide.listing, &narrow.listing),
	}
}
