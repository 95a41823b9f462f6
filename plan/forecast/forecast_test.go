package forecast

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func training(steps float64) Work {
	return Work{Stage: "train x", Items: steps, Flop: 1e9 * steps, PromptTokens: 100 * steps, DiskBytes: 5e6, MemoryBytes: 2e8, Models: true}
}

func took(w Work, seconds float64) Sample {
	return Sample{Work: w, Seconds: seconds, PromptTokens: w.PromptTokens / 2, DiskBytes: 6e6, MemoryBytes: 3e8}
}

// TestUnknownIsNull: without a history there is no time; what the cost model says is there; what it does not say is not.
func TestUnknownIsNull(t *testing.T) {
	t.Parallel()
	u := Of(Task{Works: []Work{training(100)}}, nil)
	if u.Seconds != nil {
		t.Errorf("a time of %v from nowhere", u.Seconds)
	}
	if u.Tokens == nil || u.Tokens.Mid != 10000 || u.Tokens.Low >= 10000 || u.DiskBytes == nil || u.MemoryBytes == nil {
		t.Errorf("%+v", u)
	}
	if u.USD == nil || u.USD.High != 0 {
		t.Errorf("training costs %v", u.USD)
	}
	u = Of(Task{Works: []Work{{Stage: "pool"}}}, nil)
	if d := cmp.Diff(Usage{Tokens: Exactly(0), USD: Exactly(0)}, u); d != "" {
		t.Errorf("core work that nobody has seen (-want +got):\n%s", d)
	}
	u = Of(Task{Works: []Work{{Stage: "generate x", Models: true}}, Buys: true}, nil)
	if d := cmp.Diff(Usage{}, u); d != "" {
		t.Errorf("a generator that says nothing (-want +got):\n%s", d)
	}
	u = Of(Task{Works: []Work{training(100), {Stage: "pool"}}}, []Sample{took(training(100), 10)})
	if u.Seconds != nil || u.Tokens == nil {
		t.Errorf("half of it is known: %+v", u)
	}
}

// TestHistoryCorrectsTheModel: ratios, not figures, are what is learned; the newest and nearest count.
func TestHistoryCorrectsTheModel(t *testing.T) {
	t.Parallel()
	w := training(1000)
	one := Of(Task{Works: []Work{w}}, []Sample{took(training(500), 10)})
	if m := one.Seconds.Mid; math.Abs(m-20) > 1e-9 {
		t.Errorf("twice the work of 10 s: %g s", m)
	}
	if m := one.Tokens.Mid; math.Abs(m-50000) > 1e-6 {
		t.Errorf("the model says twice the tokens that there are: %g", m)
	}
	if m := one.DiskBytes.Mid; math.Abs(m-6e6) > 1 {
		t.Errorf("disk: %g", m)
	}
	if m := one.MemoryBytes.Mid; math.Abs(m-3e8) > 1 {
		t.Errorf("memory: %g", m)
	}
	three := Of(Task{Works: []Work{w}}, []Sample{took(w, 20), took(w, 21), took(w, 20.5), took(training(10), 900)})
	if math.Abs(three.Seconds.Mid-20.5) > 1e-9 || three.Seconds.High/three.Seconds.Low >= one.Seconds.High/one.Seconds.Low {
		t.Errorf("one sample: %+v, three: %+v", one.Seconds, three.Seconds)
	}
	if three.Seconds.Low > 18 || three.Seconds.High < 23 {
		t.Errorf("three nearly equal runs promise too much: %+v", three.Seconds)
	}
	var many []Sample
	for range 30 {
		many = append(many, took(w, 20))
	}
	for range 100 {
		many = append(many, took(w, 200)) // older
	}
	if got := Of(Task{Works: []Work{w}}, many).Seconds.Mid; math.Abs(got-20) > 1e-9 {
		t.Errorf("old samples count: %g", got)
	}
}

// TestTransfer: the time of an operation stands in for that of other work, with a wide interval; a probe with a narrower
// one, and history is better than both.
func TestTransfer(t *testing.T) {
	t.Parallel()
	w := Work{Stage: "generate x", Items: 1000, Flop: 1e12, CompletionTokens: 5e4, MaxCompletionTokens: 1e5, Models: true}
	other := took(training(1000), 10) // 1e12 operations
	far := Of(Task{Works: []Work{w}}, []Sample{other}).Seconds
	if math.Abs(far.Mid-10) > 1e-9 || far.High/far.Mid < 3 {
		t.Errorf("from training: %+v", far)
	}
	probe := Sample{Work: w.Scaled(0.01), Seconds: 0.3, CompletionTokens: 500, Probe: true}
	near := Of(Task{Works: []Work{w}}, []Sample{probe, other}).Seconds
	if math.Abs(near.Mid-30) > 1e-9 || near.High/near.Mid > 2.2 {
		t.Errorf("from a probe: %+v", near)
	}
	own := Sample{Work: w, Seconds: 50, CompletionTokens: 500}
	if got := Of(Task{Works: []Work{w}}, []Sample{probe, own, own, own}).Seconds.Mid; math.Abs(got-50) > 1e-9 {
		t.Errorf("from history beside a probe: %g", got)
	}
}

func TestTokensStayBelowTheMost(t *testing.T) {
	t.Parallel()
	w := Work{Stage: "generate x", Items: 10, PromptTokens: 50, CompletionTokens: 500, MaxCompletionTokens: 1000, Models: true}
	u := Of(Task{Works: []Work{w}, Buys: true, Prices: &Prices{1, 2}}, nil)
	if got := u.Tokens; got.High > 1000+50*2 || got.Low < 250 || got.Mid != 550 {
		t.Errorf("%+v", got)
	}
	if got := u.USD; got.Mid != 50+2*500 {
		t.Errorf("money: %+v", got)
	}
	if u := Of(Task{Works: []Work{w}, Buys: true}, nil); u.USD != nil {
		t.Errorf("money without prices: %+v", u.USD)
	}
	exact := w
	exact.MaxCompletionTokens = exact.CompletionTokens
	if d := cmp.Diff(Exactly(550), Of(Task{Works: []Work{exact}}, nil).Tokens); d != "" {
		t.Error(d)
	}
}

// TestWhole: ends add up, the peak does not; what may not run has a low end of nothing.
func TestWhole(t *testing.T) {
	t.Parallel()
	sum, missing := Add([]Usage{
		{Seconds: &Interval{1, 2, 4}, Tokens: Exactly(5), MemoryBytes: &Interval{1, 2, 3}, USD: Exactly(0), DiskBytes: Exactly(1)},
		{Seconds: &Interval{10, 20, 40}, Tokens: nil, MemoryBytes: &Interval{2, 2, 2}, USD: Exactly(1), DiskBytes: Exactly(2)},
	})
	want := Usage{Seconds: &Interval{11, 22, 44}, MemoryBytes: &Interval{2, 2, 3}, USD: Exactly(1), DiskBytes: Exactly(3)}
	if d := cmp.Diff(want, sum); d != "" || missing["tokens"] != 1 || missing["seconds"] != 0 {
		t.Errorf("missing %v (-want +got):\n%s", missing, d)
	}
	may := Of(Task{Works: []Work{training(100)}, May: true}, []Sample{took(training(100), 10)})
	if may.Seconds.Low != 0 || math.Abs(may.Seconds.Mid-10) > 1e-9 {
		t.Errorf("may run: %+v", may.Seconds)
	}
	if d := cmp.Diff(Usage{Seconds: &Interval{2, 6, 12}, MemoryBytes: Exactly(7)}, Times(Usage{Seconds: &Interval{1, 2, 4}, MemoryBytes: Exactly(7)}, 2, 3)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(Usage{Seconds: &Interval{1, 3, 9}}, Hull(Usage{Seconds: &Interval{1, 2, 4}, Tokens: Exactly(1)}, Usage{Seconds: &Interval{3, 4, 9}})); d != "" {
		t.Error(d)
	}
}

// TestCoverage simulates machines whose speed changes from run to run: after k runs the interval covers the next one at
// least as often as it says. With few runs the prior makes it cover more.
func TestCoverage(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	w := training(1000)
	for _, k := range []int{1, 3, 12} {
		for _, spread := range []float64{0.02, 0.15, 0.25} {
			const rounds = 3000
			covered := 0
			for range rounds {
				var past []Sample
				draw := func() float64 { return 20 * math.Exp(spread*rng.NormFloat64()) }
				for range k {
					past = append(past, took(w, draw()))
				}
				i, next := Of(Task{Works: []Work{w}}, past).Seconds, draw()
				if i.Low <= next && next <= i.High {
					covered++
				}
			}
			if got := float64(covered) / rounds; got < Level-0.03 {
				t.Errorf("after %d runs with spread %g the interval covers %.3f", k, spread, got)
			} else {
				t.Logf("after %d runs with spread %g the interval covers %.3f", k, spread, got)
			}
		}
	}
}

// TestPlan: small steps without a figure are counted, large ones leave the sum unknown; later cycles count as often as
// they may come.
func TestPlan(t *testing.T) {
	t.Parallel()
	known := Usage{Seconds: Exactly(10), Tokens: Exactly(1), DiskBytes: Exactly(2), USD: Exactly(0), MemoryBytes: Exactly(9)}
	turn := Sum([]Part{{known, true}, {Usage{Tokens: Exactly(0)}, false}})
	if turn.Seconds.Mid != 10 || turn.MemoryBytes.Mid != 9 || turn.Lacking["seconds"] != 1 || turn.Lacking["tokens"] != 0 {
		t.Errorf("%+v", turn)
	}
	if u := Sum([]Part{{known, true}, {Usage{}, true}}); u.Seconds != nil || u.Lacking != nil {
		t.Errorf("a large step without a figure: %+v", u)
	}
	p := NewPlan(turn, 1, []Later{{Turn: Total{Usage: known}, Least: 2, Most: 4}})
	if d := cmp.Diff(&Interval{30, 50, 50}, p.Whole.Seconds); d != "" || p.Cycles != 5 || p.Whole.MemoryBytes.High != 9 {
		t.Errorf("%d cycles: %s", p.Cycles, d)
	}
	p.Limit(2)
	if d := cmp.Diff(Exactly(20), p.Whole.Seconds); d != "" || p.Cycles != 2 {
		t.Errorf("%d cycles: %s", p.Cycles, d)
	}
	p.Limit(1)
	if d := cmp.Diff(Exactly(10), p.Whole.Seconds); d != "" || p.Cycles != 1 {
		t.Errorf("%d cycles: %s", p.Cycles, d)
	}
}

// What a small model's tokens took says nothing about those of a model whose operations are known; its own history does.
func TestUnknownOperationsSayNothing(t *testing.T) {
	t.Parallel()
	large := Work{Stage: "generate x", PromptTokens: 1000, Flop: 1e12, Models: true}
	small := Sample{Work: Work{Stage: "generate x", PromptTokens: 1000, Models: true}, Seconds: 0.1, PromptTokens: 1000}
	if u := Of(Task{Works: []Work{large}}, []Sample{small, small, small, small}); u.Seconds != nil {
		t.Errorf("the time is %v, want not known", *u.Seconds)
	}
	own := Sample{Work: large, Seconds: 40, PromptTokens: 1000}
	if u := Of(Task{Works: []Work{large}}, []Sample{small, own, small, small}); u.Seconds == nil || u.Seconds.Mid < 39 || u.Seconds.Mid > 41 {
		t.Errorf("the time is %v, want about 40 s", u.Seconds)
	}
}
