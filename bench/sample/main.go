// Command sample measures how fast the embedded language model writes against llama.cpp, on the same GGUF files, side by side
// in one run. It prints tables.
//
// All sides take turns, one at a time, so that what else the machine does falls on all alike; rates are medians over the
// turns. Ours is this program; llama.cpp's are its own: llama-server, which is asked over HTTP for as many texts at a time
// as a batch has, and llama-bench, which neither samples nor serves. The faster one counts.
//
// `make bench-sample` runs it. The last line is for scripts. The exit status says whether everything could be measured;
// whether the goals are met stands in the table.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
)

func main() {
	if err := start(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "bench-sample:", err)
		os.Exit(1)
	}
}

type options struct {
	server, bench string // llama.cpp's programs
	backends      string // directory with builds of its kernels for different processors
	rounds        int
	threads       int
}

func start(ctx context.Context) error {
	if len(os.Args) > 1 && os.Args[1] == workArg {
		return work(ctx, os.Args[2:])
	}
	var o options
	flag.StringVar(&o.server, "llama-server", "llama-server", "llama.cpp's server")
	flag.StringVar(&o.bench, "llama-bench", "llama-bench", "llama.cpp's benchmark")
	flag.StringVar(&o.backends, "backends", "", "directory of libggml-cpu-*.so: the one that is fastest here is used; without it llama.cpp chooses")
	flag.IntVar(&o.rounds, "rounds", 9, "turns that each side takes; the median counts")
	flag.IntVar(&o.threads, "threads", runtime.NumCPU(), "threads of all sides")
	flag.Parse()
	if o.rounds < 1 || o.threads < 1 || flag.NArg() > 0 {
		return errors.New("usage: sample [-llama-server PROGRAM] [-llama-bench PROGRAM] [-backends DIR] [-rounds N] [-threads N]")
	}
	return run(ctx, o)
}
