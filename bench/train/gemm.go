package main

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"time"

	"jupiter/bench/worker"
	"jupiter/plugins/builtin/llama/kernel"
)

//go:embed gemm.py
var gemmSource []byte

// gemmArg makes this program a worker that multiplies matrices: it is followed by the number of threads.
const gemmArg = "gemm"

// shape is a matrix product of the models: C[m, n] = op(A)[m, k]·op(B)[k, n].
type shape struct {
	what    string // where it is used
	m, n, k int
	ta, tb  bool
}

func (s shape) flop() float64 { return 2 * float64(s.m) * float64(s.n) * float64(s.k) }

func (s shape) String() string {
	a, b := "", ""
	if s.ta {
		a = "ᵀ"
	}
	if s.tb {
		b = "ᵀ"
	}
	return fmt.Sprintf("%s: A%s·B%s, %d × %d × %d", s.what, a, b, s.m, s.n, s.k)
}

func (s shape) line(times int) string {
	bit := map[bool]int{true: 1}
	return fmt.Sprintf("%d %d %d %d %d %d", s.m, s.n, s.k, bit[s.ta], bit[s.tb], times)
}

// shapes are the products that training a subject takes: of each projection the forward pass, and both gradients.
func (s subject) shapes() []shape {
	rows := s.tokens()
	var all []shape
	for _, p := range []struct {
		name    string
		out, in int
	}{{"qkv", 3 * s.dim, s.dim}, {"output", s.dim, s.dim}, {"gate and up", 2 * s.ffn, s.dim}, {"down", s.dim, s.ffn}} {
		what := s.name + ", " + p.name
		all = append(all,
			shape{what, rows, p.out, p.in, false, true},
			shape{what, rows, p.in, p.out, false, false},
			shape{what, p.out, p.in, rows, true, false})
	}
	const chunk = 256 // rows of logits at a time
	what := s.name + ", logits"
	return append(all,
		shape{what, chunk, s.vocab, s.dim, false, true},
		shape{what, chunk, s.dim, s.vocab, false, false},
		shape{what, s.vocab, s.dim, chunk, true, false})
}

// warmUp is for how long products come before those that are timed. After a rest, caches are cold, and the system takes some
// tens of milliseconds to give threads processors of their own. As gemm.py.
const warmUp = 60 * time.Millisecond

// multiply is the worker: as gemm.py.
func multiply(threads int) error {
	pool := kernel.NewPool(threads)
	defer pool.Close()
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(about{Version: runtime.Version(), CPU: kernel.Implementation()}); err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(1, 1))
	operand := func(rows, cols int, transposed bool) kernel.Mat {
		m := kernel.Mat{Data: make([]float32, rows*cols), LD: cols, T: transposed}
		if transposed {
			m.LD = rows
		}
		for i := range m.Data {
			m.Data[i] = float32(random.NormFloat64())
		}
		return m
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var m, n, k, ta, tb, times int
		if _, err := fmt.Sscan(lines.Text(), &m, &n, &k, &ta, &tb, &times); err != nil {
			return err
		}
		a, b, c := operand(m, k, ta == 1), operand(k, n, tb == 1), make([]float32, m*n)
		for began := time.Now(); time.Since(began) < warmUp; {
			pool.Gemm(m, n, k, a, b, c, n, false)
		}
		began := time.Now()
		for range times {
			pool.Gemm(m, n, k, a, b, c, n, false)
		}
		if err := out.Encode(turn{Seconds: time.Since(began).Seconds()}); err != nil {
			return err
		}
	}
	return nil
}

// cores are the sets of kernels that OpenBLAS can be told to use on x86 and arm64; "" is what it chooses by itself.
var cores = []string{"", "Haswell", "Zen", "SkylakeX", "Cooperlake", "SapphireRapids", "ARMV8", "NEOVERSEN1", "NEOVERSEV1"}

// products compares the matrix products, with the kernels of OpenBLAS that are fastest here.
func (b *bench) products(ctx context.Context) error {
	if b.python == "" {
		return nil
	}
	core, err := b.bestCore(ctx)
	if err != nil {
		return err
	}
	for _, threads := range threadCounts {
		if err := b.productsWith(ctx, core, threads); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) productsWith(ctx context.Context, core string, threads int) error {
	mine, _, err := b.multiplier(ctx, ours, "", threads)
	if err != nil {
		return err
	}
	defer mine.Stop()
	peer, hello, err := b.multiplier(ctx, openBLAS, core, threads)
	if err != nil {
		return err
	}
	defer peer.Stop()
	b.report.met(openBLAS, hello)
	for _, s := range subjects {
		progress("matrix products of model %s, %d threads", s.name, threads)
		for _, x := range s.shapes() {
			if err := b.product(x, threads, mine, peer); err != nil {
				return err
			}
		}
	}
	return nil
}

// turnFlop is about how much a turn of matrix products computes.
const turnFlop = 1e10

func (b *bench) product(x shape, threads int, mine, peer *worker.Worker) error {
	times := max(1, int(turnFlop/x.flop()))
	for range b.rounds {
		for i, side := range []string{ours, openBLAS} {
			var t turn
			time.Sleep(rest)
			if err := []*worker.Worker{mine, peer}[i].Ask(x.line(times), &t); err != nil {
				return err
			}
			b.report.addProduct(x, threads, side, x.flop()*float64(times)/t.Seconds/1e9)
		}
	}
	return nil
}

func (b *bench) multiplier(ctx context.Context, name, core string, threads int) (*worker.Worker, about, error) {
	n := strconv.Itoa(threads)
	env := []string{"GOMAXPROCS=" + n, "OPENBLAS_NUM_THREADS=" + n}
	program, args := b.self, []string{gemmArg, n}
	if name == openBLAS {
		program, args = b.python, []string{b.gemmPeer}
		if core != "" {
			env = append(env, "OPENBLAS_CORETYPE="+core)
		}
	}
	var hello about
	w, err := worker.Start(ctx, env, program, args, &hello)
	return w, hello, err
}

// bestCore finds the kernels with which OpenBLAS is fastest. Some do not run on this machine, and their worker ends.
func (b *bench) bestCore(ctx context.Context) (string, error) {
	var best string
	var least float64
	var first error
	for _, core := range cores {
		took, err := b.tryCore(ctx, core)
		if err != nil && first == nil {
			first = err
		}
		if err == nil && (least == 0 || took < least) {
			best, least = core, took
		}
	}
	if least == 0 {
		return "", fmt.Errorf("OpenBLAS: %w", first)
	}
	return best, nil
}

func (b *bench) tryCore(ctx context.Context, core string) (float64, error) {
	w, hello, err := b.multiplier(ctx, openBLAS, core, 1)
	if err != nil {
		return 0, err
	}
	defer w.Stop()
	var sum float64
	for _, s := range subjects {
		for _, x := range s.shapes() {
			var took []float64
			for range 3 {
				var t turn
				if err := w.Ask(x.line(max(1, int(turnFlop/20/x.flop()))), &t); err != nil {
					return 0, err
				}
				took = append(took, t.Seconds)
			}
			sum += slices.Min(took)
		}
	}
	progress("OpenBLAS %s with the kernels for %s: %.2f s", hello.Version, hello.CPU, sum)
	return sum, nil
}

func gemmWork() error {
	threads, err := strconv.Atoi(os.Args[2])
	if err != nil {
		return err
	}
	return multiply(threads)
}
