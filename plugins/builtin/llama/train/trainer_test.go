package train

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"jupiter/plugins/builtin/llama/model"
)

var plain = Options{Threads: 1, Beta1: 0.9, Beta2: 0.95, Clip: 1, WeightDecay: 0.1, Seed: 7}

// tiny is small enough to check every parameter and odd enough to meet every edge: grouped heads, a head of 6, sizes
// that no vector length divides.
func tiny(tied bool) model.Config {
	return model.Config{Vocab: 19, Dim: 10, Layers: 2, Heads: 4, KVHeads: 2, HeadDim: 6, FFN: 13, Context: 100,
		RopeTheta: 10000, NormEps: 1e-5, Tied: tied}
}

// quickstart is the default domain's student.
func quickstart() model.Config {
	return model.Config{Vocab: 320, Dim: 64, Layers: 2, Heads: 4, KVHeads: 4, HeadDim: 16, FFN: 176, Context: 256,
		RopeTheta: 10000, NormEps: 1e-5, Tied: true}
}

func weights(c model.Config, seed uint64) *model.Weights {
	w := model.New(c)
	w.Init(seed)
	return w
}

// noisy moves the gains off 1, so that a gradient which ignores them shows.
func noisy(c model.Config) *model.Weights {
	w := weights(c, 3)
	r := rand.New(rand.NewPCG(4, 4))
	for i := range w.Flat {
		w.Flat[i] += float32(r.NormFloat64() * 0.1)
	}
	return w
}

// sequences are random, of lengths around mean; weights are a fifth, one or, rarely, nothing.
func sequences(vocab, n, mean int, seed uint64) []Sequence {
	r := rand.New(rand.NewPCG(seed, 1))
	seqs := make([]Sequence, n)
	for i := range seqs {
		length := 2 + r.IntN(2*mean-3)
		for range length {
			seqs[i].Tokens = append(seqs[i].Tokens, int32(r.IntN(vocab)))
			seqs[i].Weights = append(seqs[i].Weights, []float32{0.2, 1, 1, 0}[r.IntN(4)])
		}
		seqs[i].Weights[1] = 1
	}
	return seqs
}

func trainer(t testing.TB, w *model.Weights, m *Moments, o Options) *Trainer {
	t.Helper()
	tr, err := New(w, m, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.Close)
	return tr
}

func step(t testing.TB, tr *Trainer, seqs []Sequence, lr float64) StepResult {
	t.Helper()
	r, err := tr.Step(seqs, lr)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// dropFactor repeats the dropout generator from its description.
func dropFactor(o Options, updates uint64) func(sequence, position, site, j int) float64 {
	key := mix(o.Seed) ^ mix(updates)
	return func(sequence, position, site, j int) float64 {
		row := mix(mix(key^mix(uint64(sequence))) + uint64(position))
		k := mix(row + uint64(site))
		h := uint32(j) + uint32(k)
		h = (h ^ h>>16) * 0x7feb352d
		h = ((h ^ h>>15) ^ uint32(k>>32)) * 0x846ca68b
		h ^= h >> 16
		if float64(h>>1) < o.Dropout*(1<<31) {
			return 0
		}
		return 1 / (1 - o.Dropout)
	}
}

// Every parameter's gradient against central differences of the float64 reference: a wrong derivative can train with a
// falling loss, so each one is looked at.
func TestGradientOfEveryParameter(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		tied    bool
		dropout float64
		maxRows int
		seqs    []Sequence
	}{
		{"tied", true, 0, 0, sequences(19, 4, 6, 1)},
		{"untied with dropout in several passes", false, 0.3, 8, sequences(19, 4, 6, 2)},
		{"longer than a block of queries", true, 0, 0, sequences(19, 1, 60, 5)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := plain
			o.Dropout, o.MaxRows = c.dropout, c.maxRows
			w := noisy(tiny(c.tied))
			tr := trainer(t, w, nil, o)
			ref := newReference(w)
			if c.dropout > 0 {
				ref.drop = dropFactor(o, 0)
			}
			loss, _, err := tr.gradients(c.seqs)
			if err != nil {
				t.Fatal(err)
			}
			if want := ref.loss(c.seqs); math.Abs(loss-want) > 2e-6*want {
				t.Errorf("loss %.8f, want %.8f", loss, want)
			}
			stride := 1
			if len(c.seqs) == 1 {
				stride = 11
			}
			for _, p := range w.Params() {
				checkGradient(t, ref, c.seqs, p, tr.grads[p.Offset:][:len(p.Data)], stride)
			}
		})
	}
}

func checkGradient(t *testing.T, ref *reference, seqs []Sequence, p model.Param, got []float32, stride int) {
	t.Helper()
	const h = 1e-4
	var largest, worst float64
	for i := 0; i < len(got); i += stride {
		x := &ref.flat[p.Offset+i]
		old := *x
		*x = old + h
		up := ref.loss(seqs)
		*x = old - h
		down := ref.loss(seqs)
		*x = old
		want := (up - down) / (2 * h)
		largest = max(largest, math.Abs(want))
		worst = max(worst, math.Abs(want-float64(got[i])))
	}
	// Single precision and h² of the third derivative: a thousandth of the largest gradient covers neither fault nor luck.
	if worst > 1e-4*largest+1e-7 {
		t.Errorf("%s: gradient off by %.2g, largest is %.2g", p.Name, worst, largest)
	}
	if largest == 0 {
		t.Errorf("%s: no gradient at all", p.Name)
	}
}

// Ten updates against AdamW as it is written down, in double precision: clipping, bias correction, decay of matrices alone,
// and the learning rates of a tied embedding and of the norm behind it.
func TestUpdatesFollowTheReference(t *testing.T) {
	t.Parallel()
	const lr = 0.01
	for _, tied := range []bool{true, false} {
		o := plain
		w := weights(tiny(tied), 1)
		tr := trainer(t, w, nil, o)
		n := len(w.Flat)
		m, v, want := make([]float64, n), make([]float64, n), make([]float64, n)
		for i, x := range w.Flat {
			want[i] = float64(x)
		}
		clipped := 0
		for step := 1; step <= 10; step++ {
			seqs := sequences(19, 6, 8, uint64(step))
			if _, _, err := tr.gradients(seqs); err != nil { // what the gradient is, is TestGradientOfEveryParameter's
				t.Fatal(err)
			}
			g := slices.Clone(tr.grads)
			var norm float64
			for _, x := range g {
				norm += float64(x) * float64(x)
			}
			clip := min(1, o.Clip/math.Sqrt(norm))
			if clip < 1 {
				clipped++
			}
			if _, err := tr.Step(seqs, lr); err != nil {
				t.Fatal(err)
			}
			scale := math.Sqrt(float64(w.Dim)) / 2
			for _, p := range w.Params() {
				rate := lr
				switch {
				case p.Name == "embed":
					rate *= scale
				case p.Name == "norm" && tied:
					rate /= scale
				}
				for i := p.Offset; i < p.Offset+len(p.Data); i++ {
					x := float64(g[i]) * clip
					m[i] = o.Beta1*m[i] + (1-o.Beta1)*x
					v[i] = o.Beta2*v[i] + (1-o.Beta2)*x*x
					mean, square := m[i]/(1-math.Pow(o.Beta1, float64(step))), v[i]/(1-math.Pow(o.Beta2, float64(step)))
					if len(p.Shape) > 1 {
						want[i] -= lr * o.WeightDecay * want[i]
					}
					want[i] -= rate * mean / (math.Sqrt(square) + 1e-8)
				}
			}
		}
		if clipped == 0 || clipped == 10 {
			t.Errorf("%d of 10 steps were clipped: the test does not see both", clipped)
		}
		for _, p := range w.Params() {
			var worst float64
			for i, x := range p.Data {
				worst = max(worst, math.Abs(float64(x)-want[p.Offset+i]))
			}
			if worst > 2e-5 {
				t.Errorf("tied %t: %s is off by %.2g after ten updates", tied, p.Name, worst)
			}
		}
	}
}

// The gradient along ten steps: the loss before each is the reference's.
func TestLossStaysOnTheReference(t *testing.T) {
	t.Parallel()
	o := plain
	o.Dropout = 0.1
	w := weights(tiny(true), 1)
	tr := trainer(t, w, nil, o)
	seqs := sequences(19, 6, 8, 3)
	for i := range 10 {
		ref := newReference(w)
		ref.drop = dropFactor(o, uint64(i))
		want := ref.loss(seqs)
		if got := step(t, tr, seqs, 0.01).Loss; math.Abs(got-want) > 1e-5*want {
			t.Errorf("step %d: loss %.7f, want %.7f", i, got, want)
		}
	}
}

func TestFirstLossIsNearUniform(t *testing.T) {
	t.Parallel()
	for _, c := range []model.Config{tiny(true), quickstart()} {
		for seed := range uint64(3) {
			o := plain
			got := step(t, trainer(t, weights(c, seed), nil, o), sequences(c.Vocab, 16, 20, seed), 0).Loss
			if want := math.Log(float64(c.Vocab)); math.Abs(got-want) > 0.15 {
				t.Errorf("vocabulary %d: loss %.3f, want about %.3f", c.Vocab, got, want)
			}
		}
	}
}

func TestOverfitsEightSequences(t *testing.T) {
	t.Parallel()
	c := quickstart()
	c.Vocab = 50
	tr := trainer(t, weights(c, 1), nil, plain)
	seqs := sequences(c.Vocab, 8, 10, 4)
	var loss float64
	const steps = 150
	for i := range uint64(steps) {
		loss = step(t, tr, seqs, Schedule{Peak: 0.006, Floor: 0.05, Warmup: 10, Steps: steps}.At(i)).Loss
	}
	// First tokens are alike, what follows them is not: that much cannot be learnt.
	if loss > 0.3 {
		t.Errorf("loss %.3f after %d steps", loss, steps)
	}
}

// run makes steps from a state and gives the parameters and moments after them.
func run(t *testing.T, c model.Config, w *model.Weights, m *Moments, o Options, from, to int) (*model.Weights, Moments) {
	t.Helper()
	if w == nil {
		w = weights(c, 5)
	}
	tr := trainer(t, w.Clone(), m, o)
	for i := from; i < to; i++ {
		step(t, tr, sequences(c.Vocab, 12, 5+7*(i%3), uint64(i)), 0.005)
	}
	end := tr.Moments()
	return tr.Weights(), Moments{M: slices.Clone(end.M), V: slices.Clone(end.V), Updates: end.Updates}
}

func sameState(t *testing.T, what string, w1, w2 *model.Weights, m1, m2 Moments) {
	t.Helper()
	if !slices.Equal(w1.Flat, w2.Flat) {
		t.Errorf("%s: parameters differ", what)
	}
	if !slices.Equal(m1.M, m2.M) || !slices.Equal(m1.V, m2.V) || m1.Updates != m2.Updates {
		t.Errorf("%s: moments differ", what)
	}
}

func TestThreadsDoNotMatter(t *testing.T) {
	t.Parallel()
	for _, c := range []model.Config{tiny(true), tiny(false), quickstart()} {
		o := plain
		o.Dropout = 0.1
		w1, m1 := run(t, c, nil, nil, o, 0, 6)
		for _, threads := range []int{2, 3} {
			o.Threads = threads
			w2, m2 := run(t, c, nil, nil, o, 0, 6)
			sameState(t, "more threads", w1, w2, m1, m2)
		}
	}
}

func TestResumedRunIsTheSameRun(t *testing.T) {
	t.Parallel()
	o := plain
	o.Dropout = 0.1
	c := quickstart()
	w1, m1 := run(t, c, nil, nil, o, 0, 8)
	half, moments := run(t, c, nil, nil, o, 0, 4)
	w2, m2 := run(t, c, half, &moments, o, 4, 8)
	sameState(t, "resumed", w1, w2, m1, m2)
}

func TestLearningRateZeroChangesNoParameter(t *testing.T) {
	t.Parallel()
	w := weights(quickstart(), 1)
	before := slices.Clone(w.Flat)
	tr := trainer(t, w, nil, plain)
	if r := step(t, tr, sequences(320, 4, 10, 1), 0); r.GradNorm == 0 {
		t.Error("no gradient")
	}
	if !slices.Equal(w.Flat, before) {
		t.Error("parameters changed")
	}
}

// A row's arithmetic does not depend on its neighbours: one sequence alone and in a batch, where the others have no
// weight, have the same loss to the last bit.
func TestLossDoesNotDependOnTheBatch(t *testing.T) {
	t.Parallel()
	seqs := sequences(320, 9, 20, 8)
	for i := range seqs {
		alone := step(t, trainer(t, weights(quickstart(), 2), nil, plain), seqs[i:i+1], 0).Loss
		batch := make([]Sequence, len(seqs))
		for j, s := range seqs {
			batch[j] = Sequence{Tokens: s.Tokens, Weights: make([]float32, len(s.Tokens))}
		}
		batch[i] = seqs[i]
		if got := step(t, trainer(t, weights(quickstart(), 2), nil, plain), batch, 0).Loss; got != alone {
			t.Errorf("sequence %d: loss %v alone, %v in a batch", i, alone, got)
		}
	}
}

// Cutting a step into passes changes rounding only.
func TestPassesAddUp(t *testing.T) {
	t.Parallel()
	seqs := sequences(320, 12, 20, 9)
	o := plain
	o.Dropout = 0.2
	whole := trainer(t, weights(quickstart(), 2), nil, o)
	loss, rows, err := whole.gradients(seqs)
	if err != nil {
		t.Fatal(err)
	}
	o.MaxRows = 40
	cut := trainer(t, weights(quickstart(), 2), nil, o)
	loss2, rows2, err := cut.gradients(seqs)
	if err != nil {
		t.Fatal(err)
	}
	if rows != rows2 || math.Abs(loss-loss2) > 1e-6*loss {
		t.Errorf("loss %.7f of %d rows, in passes %.7f of %d", loss, rows, loss2, rows2)
	}
	norm := whole.gradNorm()
	for i := range whole.grads {
		if math.Abs(float64(whole.grads[i]-cut.grads[i])) > 1e-5*norm {
			t.Fatalf("gradient %d: %g, in passes %g", i, whole.grads[i], cut.grads[i])
		}
	}
}

func TestStepRefuses(t *testing.T) {
	t.Parallel()
	ones := []float32{1, 1, 1}
	for _, c := range []struct {
		name string
		seq  Sequence
	}{
		{"too short", Sequence{Tokens: []int32{1}, Weights: []float32{1}}},
		{"too long", Sequence{Tokens: make([]int32, 102), Weights: make([]float32, 102)}},
		{"weights missing", Sequence{Tokens: []int32{1, 2, 3}, Weights: ones[:2]}},
		{"token outside the vocabulary", Sequence{Tokens: []int32{1, 19, 3}, Weights: ones}},
		{"negative token", Sequence{Tokens: []int32{1, -1, 3}, Weights: ones}},
		{"negative weight", Sequence{Tokens: []int32{1, 2, 3}, Weights: []float32{1, -1, 1}}},
		{"nothing to learn", Sequence{Tokens: []int32{1, 2, 3}, Weights: []float32{1, 0, 0}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			tr := trainer(t, weights(tiny(true), 1), nil, plain)
			if _, err := tr.Step([]Sequence{c.seq}, 0.01); err == nil {
				t.Error("accepted")
			}
		})
	}
}

func TestStepReportsWhatIsNotFinite(t *testing.T) {
	t.Parallel()
	w := weights(tiny(true), 1)
	w.Norm[3] = float32(math.NaN())
	before := slices.Clone(w.Embed)
	tr := trainer(t, w, nil, plain)
	if _, err := tr.Step(sequences(19, 2, 6, 1), 0.01); !errors.Is(err, ErrNotFinite) {
		t.Errorf("got %v", err)
	}
	if !slices.Equal(before, w.Embed) {
		t.Error("an update was made")
	}
}

func TestScheduleWarmsUpAndCools(t *testing.T) {
	t.Parallel()
	s := Schedule{Peak: 2, Floor: 0.1, Warmup: 4, Steps: 100}
	for _, c := range []struct {
		step uint64
		want float64
	}{{0, 0.5}, {50, 2 * 0.55}, {99, 0.2004}} {
		if got := s.At(c.step); math.Abs(got-c.want) > 1e-3 {
			t.Errorf("step %d: %g, want %g", c.step, got, c.want)
		}
	}
}

func BenchmarkStep(b *testing.B) {
	for _, threads := range []int{1, 2} {
		b.Run(map[int]string{1: "threads=1", 2: "threads=2"}[threads], func(b *testing.B) {
			o := plain
			o.Threads, o.Dropout = threads, 0.05
			tr := trainer(b, weights(quickstart(), 1), nil, o)
			r := rand.New(rand.NewPCG(1, 1))
			seqs := make([]Sequence, 32)
			for i := range seqs {
				for range 26 + r.IntN(12) {
					seqs[i].Tokens = append(seqs[i].Tokens, int32(r.IntN(320)))
					seqs[i].Weights = append(seqs[i].Weights, 1)
				}
			}
			rows := step(b, tr, seqs, 1e-3).Rows
			b.ReportAllocs()
			for b.Loop() {
				step(b, tr, seqs, 1e-3)
			}
			b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "tokens/s")
		})
	}
}
