// Command train measures the training of the embedded language model against PyTorch, and its matrix products against
// OpenBLAS, side by side in one run. It prints tables.
//
// Both sides are workers: processes that have built their model, and make so many steps as they are told. They are told in
// turns, one at a time, so that what else the machine does falls on both alike; the rates are medians over the turns. Ours
// is this program; the peer is peer.py, and gemm.py for the products.
//
// `make bench-train` runs it. The last line is for scripts. The exit status says whether everything could be measured;
// whether the goals are met stands in the table.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"
)

func main() {
	if err := start(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "bench-train:", err)
		os.Exit(1)
	}
}

type options struct {
	environment string // script that makes the environment of the peers
	python      string // its interpreter
	rounds      int
	turn        time.Duration
	only        string
	compile     bool
}

func start(ctx context.Context) error {
	if len(os.Args) > 1 && os.Args[1] == workArg {
		return work(os.Args[2:])
	}
	if len(os.Args) > 1 && os.Args[1] == gemmArg {
		return gemmWork()
	}
	var o options
	flag.StringVar(&o.environment, "environment", "", "script that makes the environment of the peers; without it there is none")
	flag.IntVar(&o.rounds, "rounds", 9, "turns that each side takes; the median counts")
	flag.DurationVar(&o.turn, "turn", time.Second, "about how long a turn takes")
	flag.StringVar(&o.only, "only", "", "what to measure, of A, Q, B and gemm, separated by commas; all without it")
	flag.BoolVar(&o.compile, "compile", false, "measure PyTorch compiled (torch.compile) too, as a second opinion; needs a C++ compiler, and minutes")
	flag.Parse()
	if o.rounds < 1 || o.turn <= 0 || flag.NArg() > 0 {
		return errors.New("usage: train [-environment SCRIPT] [-rounds N] [-turn DURATION] [-only A,Q,B,gemm] [-compile]")
	}
	return run(ctx, o)
}

func (o options) wants(what string) bool {
	if o.only == "" {
		return true
	}
	for _, w := range strings.Split(o.only, ",") {
		if w == what {
			return true
		}
	}
	return false
}
