package main

import (
	"context"
	_ "embed"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"jupiter/bench/worker"
)

//go:embed peer.py
var peerSource []byte

// sides of a race, in the order in which they take turns.
const (
	ours     = "ours"
	torch    = "PyTorch"
	compiled = "PyTorch, compiled"
)

var threadCounts = []int{1, 2}

func run(ctx context.Context, o options) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "jupiter-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{options: o, self: self, peer: filepath.Join(dir, "peer.py"), gemmPeer: filepath.Join(dir, "gemm.py")}
	for path, source := range map[string][]byte{b.peer: peerSource, b.gemmPeer: gemmSource} {
		if err := os.WriteFile(path, source, 0o600); err != nil {
			return err
		}
	}
	b.prepare(ctx)
	for _, s := range subjects {
		if o.wants(s.name) {
			if err := b.race(ctx, s); err != nil {
				return fmt.Errorf("model %s: %w", s.name, err)
			}
		}
	}
	if o.wants("gemm") {
		if err := b.products(ctx); err != nil {
			return err
		}
	}
	return b.report.write(os.Stdout)
}

// bench is one run of the benchmark.
type bench struct {
	options
	self, peer, gemmPeer string
	report               report
}

// prepare makes the environment of the peers.
func (b *bench) prepare(ctx context.Context) {
	if b.environment == "" {
		b.report.noPeer = "there was to be none"
		return
	}
	progress("the environment of the peers, which is downloaded the first time")
	python, err := worker.Python(ctx, b.environment, "bench-train", "torch", "numpy", "threadpoolctl")
	if err != nil {
		b.report.noPeer = err.Error()
		return
	}
	b.python = python
}

// rest is the time before a turn. OpenBLAS's threads, and OpenMP's, watch for more work for up to some tens of milliseconds
// after the last, and would take a processor away from who comes next.
const rest = 100 * time.Millisecond

// runner is a side of a race, with so many threads.
type runner struct {
	side    string
	threads int
	w       *worker.Worker
	steps   int
}

// race lets all sides train the same model, in turns.
func (b *bench) race(ctx context.Context, s subject) error {
	sides := []string{ours}
	if b.python != "" {
		sides = append(sides, torch)
		if b.compile {
			sides = append(sides, compiled)
		}
	}
	var all []*runner
	defer func() {
		for _, r := range all {
			r.w.Stop()
		}
	}()
	for _, threads := range threadCounts {
		for _, side := range sides {
			progress("model %s: %s, %d threads", s.name, side, threads)
			r, err := b.runner(ctx, s, side, threads)
			if err != nil {
				return err
			}
			all = append(all, r)
		}
	}
	for i := range b.rounds {
		for _, r := range all {
			var t turn
			time.Sleep(rest)
			if err := r.w.Ask(strconv.Itoa(r.steps), &t); err != nil {
				return err
			}
			rate := float64(r.steps*s.tokens()) / t.Seconds
			progress("model %s, round %d of %d: %s, %d threads, %.0f tokens a second", s.name, i+1, b.rounds, r.side, r.threads, rate)
			b.report.add(s, r.threads, r.side, t, rate)
		}
	}
	return nil
}

func (b *bench) runner(ctx context.Context, s subject, side string, threads int) (*runner, error) {
	n := strconv.Itoa(threads)
	args := append(s.args(), n)
	program := b.self
	switch side {
	case ours:
		args = append([]string{workArg}, args...)
	case torch:
		program, args = b.python, append([]string{b.peer}, args...)
	case compiled:
		program, args = b.python, append(append([]string{b.peer}, args...), "compile")
	}
	var hello about
	w, err := worker.Start(ctx, []string{"GOMAXPROCS=" + n, "OMP_NUM_THREADS=" + n, "MKL_NUM_THREADS=" + n}, program, args, &hello)
	if err != nil {
		return nil, err
	}
	b.report.met(side, hello)
	r := &runner{side: side, threads: threads, w: w}
	if want := s.config().Params(); hello.Parameters != want {
		err = fmt.Errorf("%s trains %d parameters, and the model has %d", side, hello.Parameters, want)
	} else {
		r.steps, err = b.pace(w)
	}
	if err != nil {
		w.Stop()
		return nil, err
	}
	return r, nil
}

// pace warms a worker up, and gives the steps that it makes in a turn.
func (b *bench) pace(w *worker.Worker) (int, error) {
	for steps := 1; ; steps *= 2 {
		var t turn
		if err := w.Ask(strconv.Itoa(steps), &t); err != nil {
			return 0, err
		}
		if t.Seconds > b.turn.Seconds()/4 {
			return max(1, int(math.Round(b.turn.Seconds()/t.Seconds*float64(steps)))), nil
		}
	}
}

// progress tells who waits what is being done.
func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s bench-train: "+format+"\n", append([]any{time.Now().Format("15:04:05")}, args...)...)
}
