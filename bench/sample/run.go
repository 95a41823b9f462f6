package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"jupiter/bench/worker"
)

// The sides.
const (
	ours    = "ours"
	served  = "llama-server"
	benched = "llama-bench"
)

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
	b := &bench{options: o, self: self, files: map[string]string{}, backend: map[int]string{}}
	for _, s := range subjects {
		if b.files[s.name], err = s.write(dir); err != nil {
			return err
		}
	}
	if err := b.prepare(ctx); err != nil {
		return err
	}
	for _, s := range subjects {
		for _, batch := range batches {
			if err := b.race(ctx, s, batch); err != nil {
				return fmt.Errorf("model %s, batch %d: %w", s.name, batch, err)
			}
		}
	}
	return b.report.write(os.Stdout)
}

// bench is one run of the benchmark.
type bench struct {
	options
	self    string
	files   map[string]string // by model
	backend map[int]string    // the library of kernels that llama.cpp is told to use, by the size of a batch
	report  report
}

// prepare finds llama.cpp's programs, and the kernels with which they are fastest.
func (b *bench) prepare(ctx context.Context) error {
	for _, p := range []*string{&b.server, &b.bench} {
		path, err := exec.LookPath(*p)
		if err != nil {
			return fmt.Errorf("%w: .ci/llama.cpp puts it into a directory, and says which", err)
		}
		*p = path
	}
	b.report.threads = b.threads
	out, err := exec.CommandContext(ctx, b.server, "--version").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s --version: %w", b.server, err)
	}
	for _, l := range strings.Split(string(out), "\n") {
		if v, ok := strings.CutPrefix(l, "version: "); ok {
			b.report.version = v
		}
	}
	if b.backends == "" {
		return nil
	}
	for _, batch := range batches {
		if b.backend[batch], err = b.fastest(ctx, batch); err != nil {
			return err
		}
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(b.backend[batch]), "libggml-cpu-"), ".so")
		b.report.kernels = append(b.report.kernels, fmt.Sprintf("%s for %d at a time", name, batch))
	}
	return nil
}

// fastest finds the kernels with which llama.cpp is fastest here, of all that it comes with.
func (b *bench) fastest(ctx context.Context, batch int) (string, error) {
	all, err := filepath.Glob(filepath.Join(b.backends, "libggml-cpu-*.so"))
	if err != nil {
		return "", err
	}
	var best float64
	var backend string
	var failed error
	for _, path := range all {
		var rate float64
		for range 3 {
			r, err := benchmark(ctx, b.bench, path, b.files["B"], batch, b.threads)
			if err != nil { // not for this processor
				failed = err
				break
			}
			rate = max(rate, r)
		}
		progress("llama.cpp, %d at a time, with %s: %.0f tokens a second", batch, filepath.Base(path), rate)
		if rate > best {
			best, backend = rate, path
		}
	}
	if best == 0 {
		return "", errors.Join(fmt.Errorf("no kernels of %s run here", b.backends), failed)
	}
	return backend, nil
}

// race lets all sides write with the same model, in turns.
func (b *bench) race(ctx context.Context, s subject, batch int) error {
	file := b.files[s.name]
	tok, err := tokenizer(s.vocab)
	if err != nil {
		return err
	}
	var hello about
	mine, err := worker.Start(ctx, nil, b.self, []string{workArg, file, strconv.Itoa(batch), strconv.Itoa(b.threads)}, &hello)
	if err != nil {
		return err
	}
	defer mine.Stop()
	b.report.ours = hello.Kernels
	theirs, err := startServer(ctx, b.server, b.backend[batch], file, tok, batch, b.threads)
	if err != nil {
		return err
	}
	defer theirs.Stop()
	sides := map[string]func(texts int) (turn, error){
		ours:   func(texts int) (t turn, err error) { return t, mine.Ask(strconv.Itoa(texts), &t) },
		served: theirs.ask,
	}
	texts := 4 * batch
	for i := range b.rounds + 1 { // the first warms up
		for _, side := range []string{ours, served} {
			t, err := sides[side](texts)
			if err != nil {
				return fmt.Errorf("%s: %w", side, err)
			}
			if i > 0 {
				b.took(s, batch, i, side, float64(t.Tokens)/t.Seconds)
			}
		}
		if i == 0 {
			continue
		}
		rate, err := benchmark(ctx, b.bench, b.backend[batch], file, batch, b.threads)
		if err != nil {
			return err
		}
		b.took(s, batch, i, benched, rate)
	}
	return nil
}

func (b *bench) took(s subject, batch, round int, side string, rate float64) {
	progress("model %s, batch %d, round %d of %d: %s, %.0f tokens a second", s.name, batch, round, b.rounds, side, rate)
	b.report.add(s.name, batch, side, rate)
}

// progress tells who waits what is being done.
func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s bench-sample: "+format+"\n", append([]any{time.Now().Format("15:04:05")}, args...)...)
}
