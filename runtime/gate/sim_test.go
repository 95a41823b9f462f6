package gate

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"jupiter/runtime/guard"
)

// Run with -run Sim -v -sim.full for the figures of docs/gate.md; without it the same simulations run small.
var full = flag.Bool("sim.full", false, "run the gate's simulations at full size")

// world is a set of items with a difficulty each. A contestant of skill g answers item i right with probability
// ease_i^g, so that skill moves the mean score and items stay hard or easy for all. The composite is that of the default
// weights: an answer, a likelihood that follows it loosely, and a multiple choice that nearly all get right.
type world struct {
	ids          []string
	ease, choice []float64
}

func newWorld(name string, n int, r *rand.Rand) world {
	w := world{}
	ease, choice := distuv.Beta{Alpha: 0.8, Beta: 0.8, Src: r}, distuv.Beta{Alpha: 9, Beta: 1, Src: r}
	for i := range n {
		w.ids = append(w.ids, fmt.Sprintf("%s%d", name, i))
		w.ease, w.choice = append(w.ease, ease.Rand()), append(w.choice, choice.Rand())
	}
	return w
}

// skillFor returns the skill whose expected composite over all possible items is score.
func skillFor(score float64) float64 {
	// E[ease^g] for ease ~ Beta(0.8, 0.8); the composite of mean accuracy p is 0.4p + 0.3(0.6 + 0.35p) + 0.26.
	p := (score - 0.18 - 0.26) / 0.505
	lg := func(x float64) float64 { v, _ := math.Lgamma(x); return v }
	lo, hi := 1e-3, 20.0
	for range 60 {
		g := (lo + hi) / 2
		if math.Exp(lg(0.8+g)+lg(1.6)-lg(0.8)-lg(1.6+g)) > p {
			lo = g
		} else {
			hi = g
		}
	}
	return lo
}

func (w world) answer(skill float64, r *rand.Rand) []Components {
	out := make([]Components, len(w.ids))
	for i := range w.ids {
		p := math.Pow(w.ease[i], skill)
		acc, dom := 0.0, domainFloor
		if r.Float64() < p {
			acc = 1
		}
		if r.Float64() < w.choice[i] {
			dom = 1
		}
		coh := min(1, max(0, 0.6+0.35*p+0.03*r.NormFloat64()))
		out[i] = Components{&acc, &coh, &dom}
	}
	return out
}

func (w world) items(challenger, incumbent []Components) []Item {
	out := make([]Item, len(w.ids))
	for i, id := range w.ids {
		out[i] = Item{ID: id, Challenger: challenger[i], Incumbent: incumbent[i]}
	}
	return out
}

func healthy() guard.Report {
	return guard.Report{Level: guard.OK, Calibrated: true, Findings: []guard.Finding{{Measure: guard.Entropy, Level: guard.OK, Reached: guard.OK, Change: new(0.0), Limit: guard.Limit{Warn: 0.3, Halt: 0.4}}}}
}

type life struct {
	promotions, looks int
	final             float64 // true score of the generator at the end
}

// live runs one loop of cycles with the pool and dev given; score(k) is the true score of the student of cycle k.
func live(t *testing.T, pool, cycles int, start float64, score func(k int) float64, r *rand.Rand) life {
	t.Helper()
	p := DefaultPolicy()
	gate, dev := newWorld("g", pool, r), newWorld("d", pool, r)
	onGate, onDev := gate.answer(skillFor(start), r), dev.answer(skillFor(start), r)
	l := life{final: start}
	for k := 1; k <= cycles; k++ {
		s := skillFor(score(k))
		a, b := gate.answer(s, r), dev.answer(s, r)
		e := Evidence{Step: p.MinSteps, Dev: dev.items(b, onDev), Pool: Pool{pool, pool}, Guard: healthy(),
			PassRate: Pair{Known(0.5), Known(0.5)}, BitsPerByte: Pair{Known(0.6), Known(0.6)}}
		open, d, err := NeedsGate(p, e)
		if err != nil {
			t.Fatal(err)
		}
		if open {
			l.looks++
			e.Look, e.Gate = Look{uint64(l.looks), uint64(l.promotions)}, gate.items(a, onGate)
			if d, err = Decide(p, e); err != nil {
				t.Fatal(err)
			}
		}
		if d.Verdict == Promote {
			l.promotions++
			l.final, onGate, onDev = score(k), a, b
		}
	}
	return l
}

func trials(small, large int) int {
	if *full {
		return large
	}
	return small
}

func TestSimFalsePromotions(t *testing.T) {
	t.Parallel()
	for _, pool := range []int{500, 1000} {
		n, any, looks := trials(40, 2000), 0, 0
		if pool == 1000 {
			n = trials(10, 500)
		}
		for i := range n {
			l := live(t, pool, 20, 0.65, func(int) float64 { return 0.65 }, rand.New(rand.NewPCG(uint64(i), 1)))
			looks += l.looks
			if l.promotions > 0 {
				any++
			}
		}
		rate := float64(any) / float64(n)
		t.Logf("pool %d, 20 cycles of an equal student, %d runs: any false promotion %.2f %%, %.1f looks a run", pool, n, 100*rate, float64(looks)/float64(n))
		// Three standard errors above the claim, and never below what one unlucky run in a small test gives.
		if limit := 0.025 + 3*math.Sqrt(0.025*0.975/float64(n)); rate > limit {
			t.Errorf("pool %d: false promotions in %.1f %% of runs, limit %.1f %%", pool, 100*rate, 100*limit)
		}
	}
}

// The bound alone, with every cycle taking a look: what alpha itself promises.
func TestSimBoundAlone(t *testing.T) {
	t.Parallel()
	n, any := trials(60, 4000), 0
	for i := range n {
		r := rand.New(rand.NewPCG(uint64(i), 2))
		w := newWorld("g", 500, r)
		skill := skillFor(0.65)
		incumbent := w.answer(skill, r)
		promoted := uint64(0)
		for k := uint64(1); k <= 20; k++ {
			challenger := w.answer(skill, r)
			s, fault := read(w.items(challenger, incumbent), DefaultPolicy().Weights)
			if fault != nil {
				t.Fatal(fault.Text)
			}
			l, err := logAlpha(Look{k, promoted}, 0.05)
			if err != nil {
				t.Fatal(err)
			}
			if s.gain(1, 0).lower(l).lcb > 0 {
				promoted++
				incumbent = challenger
			}
		}
		if promoted > 0 {
			any++
		}
	}
	rate := float64(any) / float64(n)
	t.Logf("pool 500, 20 looks without screen and threshold, %d runs: any false promotion %.2f %%", n, 100*rate)
	if limit := 0.05 + 3*math.Sqrt(0.05*0.95/float64(n)); rate > limit {
		t.Errorf("false promotions in %.1f %% of runs, alpha is 5 %%", 100*rate)
	}
}

// "At least 5 % better" without a bound promotes equal students by chance.
func TestSimThresholdAlone(t *testing.T) {
	t.Parallel()
	n, once, ever := trials(300, 20000), 0, 0
	p := DefaultPolicy()
	for i := range n {
		r := rand.New(rand.NewPCG(uint64(i), 3))
		hit := false
		for k := range 10 {
			w := newWorld("g", 100, r)
			skill := skillFor(0.65)
			reached, _ := Screen(p, w.items(w.answer(skill, r), w.answer(skill, r)))
			if reached && k == 0 {
				once++
			}
			hit = hit || reached
		}
		if hit {
			ever++
		}
	}
	one, ten := float64(once)/float64(n), float64(ever)/float64(n)
	t.Logf("threshold alone, 100 items, %d runs: an equal student passes %.1f %% of looks, and %.1f %% of ten looks at fresh items", n, 100*one, 100*ten)
	if one < 0.05 || ten < 0.4 {
		t.Errorf("the threshold alone errs in %.3f and %.3f: the simulated scores are too steady to test anything", one, ten)
	}
}

func TestSimPower(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pool           int
		promotions     float64 // at least, a run
		final          float64
		small, large   int
		claims, claimf float64
	}{{500, 2.2, 0.82, 8, 400, 3.3, 0.86}, {1000, 2.8, 0.83, 5, 200, 4.0, 0.87}} {
		n := trials(c.small, c.large)
		promotions, final, looks := 0, 0.0, 0
		for i := range n {
			l := live(t, c.pool, 20, 0.65, func(k int) float64 { return 0.65 + 0.24*float64(k)/20 }, rand.New(rand.NewPCG(uint64(i), 4)))
			promotions += l.promotions
			final += l.final
			looks += l.looks
		}
		mean := float64(promotions) / float64(n)
		final /= float64(n)
		t.Logf("pool %d, a student rising from 0.65 to 0.89 in 20 cycles, %d runs: %.2f promotions, ends at %.3f, %.1f looks", c.pool, n, mean, final, float64(looks)/float64(n))
		if mean < c.promotions || final < c.final {
			t.Errorf("pool %d: %.2f promotions and %.3f at the end, want at least %.1f and %.2f", c.pool, mean, final, c.promotions, c.final)
		}
	}
}
