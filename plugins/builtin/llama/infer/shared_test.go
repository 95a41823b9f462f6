package infer

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jupiter/plugins/builtin/llama/bpe"
	"jupiter/plugins/builtin/llama/model"
)

func share(t testing.TB, m *Model, o Options) *Shared {
	t.Helper()
	s, err := NewShared(m, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func untold(int, int32, float32) error { return nil }

// idle says whether nothing is left in work, once all workers have looked.
func (s *Shared) idle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.texts == 0 && s.workers == 0 && len(s.orders) == 0
}

// TestSharedCompany: a text among those of other callers, with other sampling, is the text alone; and each token was told of
// before its text.
func TestSharedCompany(t *testing.T) {
	t.Parallel()
	m, _ := small(t)
	samplings := []Sampling{
		{MaxTokens: 30},
		{Temperature: 1, MaxTokens: 40},
		{Temperature: 0.8, TopK: 40, TopP: 0.9, MinP: 0.01, RepetitionPenalty: 1.2, MaxTokens: 25, Stop: []string{"="}},
	}
	for _, o := range []Options{{Threads: 1, Batch: 3}, {Threads: 2, Batch: 16}, {Threads: 3, Batch: 5}} {
		s := share(t, m, o)
		var callers sync.WaitGroup
		for k := range 9 {
			callers.Go(func() {
				rs, by := requests(m, 7+k), samplings[k%3]
				want := generate(t, m, rs, by, Options{Threads: 1, Batch: 1})
				told := make([][]int32, len(rs))
				var got []Result
				err := s.Generate(t.Context(), rs, by, func(i int, token int32, logprob float32) error {
					if n := len(told[i]); logprob != want[i].Logprobs[n] {
						t.Errorf("caller %d, text %d: token %d has log-probability %g, want %g", k, i, n, logprob, want[i].Logprobs[n])
					}
					told[i] = append(told[i], token)
					return nil
				}, func(r Result) error {
					if !slices.Equal(told[r.Index], r.Tokens) {
						t.Errorf("caller %d, text %d: told of %v, and it has %v", k, r.Index, told[r.Index], r.Tokens)
					}
					got = append(got, r)
					return nil
				})
				if err != nil {
					t.Errorf("caller %d: %v", k, err)
				}
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("%+v, caller %d (-alone +among others):\n%s", o, k, d)
				}
			})
		}
		callers.Wait()
		for !s.idle() { // the last worker looks once more
			runtime.Gosched()
		}
	}
}

// TestSharedTurns: a caller with one text does not wait for all of one with many: it has its turn when the next text ends, or the
// one after that.
func TestSharedTurns(t *testing.T) {
	t.Parallel()
	m, _ := small(t)
	s := share(t, m, Options{Threads: 1, Batch: 2})
	s.workers = 1 // the test is the worker
	d := newDecoder(m, Sampling{}, s.slots)
	enter := func(rs []Request) *order {
		o := &order{ctx: t.Context(), requests: rs, sampling: &Sampling{MaxTokens: 20}, wake: make(chan struct{}, 1)}
		s.enter(o)
		return o
	}
	fill := func(ended int) (owners []*order) {
		if s.fill(d, ended) != 1 {
			t.Fatal("there is nothing to do")
		}
		for _, x := range d.live {
			owners = append(owners, x.order)
		}
		return owners
	}
	many := enter(requests(m, 60))
	if got := fill(0); !slices.Equal(got, []*order{many, many}) {
		t.Fatalf("%d texts are in work", len(got))
	}
	one := enter(requests(m, 4)[3:])
	for turn := 1; ; turn++ {
		d.free = append(d.free, d.live[0].cache)
		d.live = slices.Delete(d.live, 0, 1) // it ends
		if slices.Contains(fill(1), one) {
			return
		}
		if turn == 2 {
			t.Fatal("two texts of the first caller came before the only one of the second")
		}
	}
}

// TestSharedSlow: a caller that takes nothing holds up nobody, and one that goes away leaves nothing.
func TestSharedSlow(t *testing.T) {
	t.Parallel()
	m, _ := small(t)
	s := share(t, m, Options{Threads: 2, Batch: 4})
	ctx, cancel := context.WithCancel(t.Context())
	stuck, asleep := make(chan error, 1), make(chan struct{})
	go func() {
		first := true
		stuck <- s.Generate(ctx, requests(m, 200), Sampling{Temperature: 1, MaxTokens: 60}, func(int, int32, float32) error {
			if first {
				first = false
				close(asleep)
				<-ctx.Done()
			}
			return nil
		}, func(Result) error { return nil })
	}()
	<-asleep
	n := 0
	if err := s.Generate(t.Context(), requests(m, 8), Sampling{MaxTokens: 20}, untold, func(Result) error { n++; return nil }); err != nil || n != 8 {
		t.Errorf("beside one that takes nothing: %d results, %v", n, err)
	}
	cancel()
	if err := <-stuck; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	for !s.idle() { // what it had in work is dropped at the next token
		runtime.Gosched()
	}
	broken := errors.New("broken")
	if err := s.Generate(t.Context(), requests(m, 8), Sampling{MaxTokens: 20}, untold, func(Result) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("emit's error: %v", err)
	}
	for !s.idle() {
		runtime.Gosched()
	}
}

func TestSharedRefuses(t *testing.T) {
	t.Parallel()
	m, _ := small(t)
	if _, err := NewShared(m, Options{Threads: 1}); err == nil {
		t.Error("a batch of 0 is taken")
	}
	s := share(t, m, Options{Threads: 1, Batch: 1})
	none := func(Result) error { return fmt.Errorf("a result") }
	if err := s.Generate(t.Context(), []Request{{}}, Sampling{MaxTokens: 1}, untold, none); err == nil {
		t.Error("a prompt without BOS is taken")
	}
	if err := s.Generate(t.Context(), nil, Sampling{}, untold, none); err == nil {
		t.Error("max_tokens = 0 is taken")
	}
	if err := s.Generate(t.Context(), nil, Sampling{MaxTokens: 1}, untold, none); err != nil {
		t.Error(err)
	}
}

// BenchmarkReaders has 32 callers with a text each at the same time: sharing workers, and with workers of their own.
func BenchmarkReaders(b *testing.B) {
	tok := bpe.Train(slices.Values(append(texts, texts...)), bpe.Options{VocabSize: 320})
	m, _ := build(b, tok, model.Config{
		Vocab: tok.Size(), Dim: 256, Layers: 4, Heads: 8, KVHeads: 8, HeadDim: 32, FFN: 704, Context: 256, RopeTheta: 10000, NormEps: 1e-5, Tied: true,
	})
	o, by := Options{Threads: 2, Batch: 64}, Sampling{Temperature: 1, MaxTokens: 31}
	shared, err := NewShared(m, o)
	if err != nil {
		b.Fatal(err)
	}
	for name, one := range map[string]func(r Request, emit func(Result) error) error{
		"shared": func(r Request, emit func(Result) error) error {
			return shared.Generate(b.Context(), []Request{r}, by, untold, emit)
		},
		"own": func(r Request, emit func(Result) error) error {
			return m.Generate(b.Context(), 1, func(int) Request { return r }, by, o, emit)
		},
	} {
		b.Run(name, func(b *testing.B) {
			var tokens atomic.Int64
			for b.Loop() {
				var callers sync.WaitGroup
				for i := range 32 {
					callers.Go(func() {
						r := Request{Prompt: []int32{m.Tokenizer.BOS()}, Seed: uint64(i)}
						if err := one(r, func(r Result) error { tokens.Add(int64(len(r.Tokens))); return nil }); err != nil {
							b.Error(err)
						}
					})
				}
				callers.Wait()
			}
			b.ReportMetric(float64(tokens.Load())/b.Elapsed().Seconds(), "tokens/s")
		})
	}
}
