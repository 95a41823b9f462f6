package gate

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestAlpha(t *testing.T) {
	t.Parallel()
	six := 6 / (math.Pi * math.Pi)
	for _, c := range []struct {
		k, m uint64
		want float64
	}{
		{1, 0, 0.05 * six / 2},
		{2, 0, 0.05 * six / 4 / 2},
		{2, 1, 0.05 * six / 4 / 4},
		{5, 2, 0.05 * six / 25 / 8 / 6},
		{21, 10, 0.05 * six / 441 / 2048 / 184756},
	} {
		got, err := Alpha(c.k, c.m, 0.05)
		if err != nil || math.Abs(got/c.want-1) > 1e-12 {
			t.Errorf("Alpha(%d, %d) is %v, %v; want %v", c.k, c.m, got, err, c.want)
		}
	}
	if l, err := logAlpha(Look{1 << 40, 1 << 39}, 0.05); err != nil || math.IsInf(l, 0) || math.IsNaN(l) {
		t.Errorf("ln Alpha of very many looks is %v, %v", l, err)
	}
	for _, bad := range []struct {
		k, m  uint64
		alpha float64
	}{{0, 0, 0.05}, {1, 1, 0.05}, {1, 0, 0}, {1, 0, 1}, {1, 0, math.NaN()}} {
		if got, err := Alpha(bad.k, bad.m, bad.alpha); err == nil {
			t.Errorf("Alpha(%d, %d, %v) is %v, want an error", bad.k, bad.m, bad.alpha, got)
		}
	}
}

// The union over all looks and all histories of promotions spends at most alpha.
func TestAlphaSpendsNoMoreThanAlpha(t *testing.T) {
	t.Parallel()
	sum := 0.0
	for k := uint64(1); k <= 3000; k++ {
		for m := uint64(0); m < min(k, 60); m++ {
			l, err := logAlpha(Look{k, m}, 0.05)
			if err != nil {
				t.Fatal(err)
			}
			sum += math.Exp(l + logChoose(float64(k-1), float64(m)))
		}
	}
	if want := 0.0323; math.Abs(sum-want) > 1e-4 {
		t.Errorf("looks spend %v of 0.05", sum)
	}
}

func TestCompose(t *testing.T) {
	t.Parallel()
	w := DefaultPolicy().Weights
	for _, c := range []struct {
		c    Components
		want float64
	}{
		{scores(1, 1, 1), 1},
		{scores(0, 0, domainFloor), -0.1},
		{scores(1, 0.5, 0), 0.55},
		{Components{Accuracy: new(1.0), Domain: new(0.0)}, 0.4 / 0.7},
		{Components{Coherence: new(0.25)}, 0.25},
		{Components{}, math.NaN()},
		{scores(math.NaN(), 1, 1), math.NaN()},
		{scores(1.01, 1, 1), math.NaN()},
		{scores(1, 1, -0.34), math.NaN()},
	} {
		if got := Compose(c.c, w); math.Abs(got-c.want) > 1e-12 || math.IsNaN(got) != math.IsNaN(c.want) {
			t.Errorf("Compose(%v) is %v, want %v", c.c, got, c.want)
		}
	}
	if got := Compose(Components{Domain: new(1.0)}, Weights{Accuracy: 1}); !math.IsNaN(got) {
		t.Errorf("a component of no weight alone composes to %v", got)
	}
}

// flip makes n figures of ±0.4 or 0 and their clusters; every item of a cluster has the same figure.
func flip(n, size int, p float64, r *rand.Rand) sample {
	s := sample{lo: -1.1, hi: 1.1}
	var v float64
	for i := range n {
		if i%size == 0 {
			v = 0
			if r.Float64() < p {
				v = 0.4
			} else if r.Float64() < 0.3 {
				v = -0.4
			}
		}
		name := ""
		if size > 1 {
			name = string(rune('a' + i/size))
		}
		s.values, s.clusters = append(s.values, v), append(s.clusters, name)
	}
	return s
}

// Ten equal items in a cluster carry the information of one.
func TestClusteredStandardError(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	s := flip(500, 10, 0.4, r)
	b := s.lower(math.Log(0.05))
	one := sample{lo: s.lo, hi: s.hi}
	for i := 0; i < 500; i += 10 {
		one.values, one.clusters = append(one.values, s.values[i]), append(one.clusters, "")
	}
	want := one.lower(math.Log(0.05))
	if math.Abs(b.se-want.se) > 1e-12 || b.method != Cluster || b.clusters != 50 {
		t.Errorf("standard error %v by %s over %d clusters, want that of one item each, %v", b.se, b.method, b.clusters, want.se)
	}
	if got, want := b.quantile, 1.6765508919; math.Abs(got-want) > 1e-6 { // t(0.95, 49)
		t.Errorf("quantile %v, want %v", got, want)
	}
}

// Under "not better" the betting bound lies above 0 with probability at most alpha, also for skewed differences where
// the normal bound errs more often.
func TestBettingHoldsItsLevel(t *testing.T) {
	t.Parallel()
	const n, runs, alpha = 200, 3000, 0.02
	betting, normal := 0, 0
	for i := range runs {
		r := rand.New(rand.NewPCG(uint64(i), 7))
		x := sample{lo: -1.1, hi: 1.1, clusters: make([]string, n)}
		for range n { // mean 0: a rare loss of 1 against frequent gains of 0.02
			v := 0.02
			if r.Float64() < 0.02/1.02 {
				v = -1
			}
			x.values = append(x.values, v)
		}
		if bet(x.values, -math.Log(alpha), x.lo, x.hi) > 0 {
			betting++
		}
		if x.lower(math.Log(alpha)).lcb > 0 {
			normal++
		}
	}
	limit := alpha + 3*math.Sqrt(alpha*(1-alpha)/runs)
	t.Logf("level %.3f: betting errs in %.4f, the normal bound in %.4f", alpha, float64(betting)/runs, float64(normal)/runs)
	if float64(betting)/runs > limit {
		t.Errorf("betting errs in %.4f of runs, limit %.4f", float64(betting)/runs, limit)
	}
	if float64(normal)/runs < limit {
		t.Error("the normal bound holds its level here: the test shows no difference")
	}
}

// What betting costs: at a tail of 1e-6 it proves a gain that is a little more than the quantile in standard errors.
func TestBettingHasPower(t *testing.T) {
	t.Parallel()
	const n, runs = 500, 100
	found := 0
	var ratio float64
	for i := range runs {
		r := rand.New(rand.NewPCG(uint64(i), 8))
		x := sample{lo: -1.1, hi: 1.1, clusters: make([]string, n)}
		for range n {
			x.values = append(x.values, 0.105+0.35*max(-2, min(2, r.NormFloat64()))) // 6.7 standard errors
		}
		b := x.lower(math.Log(1e-6))
		if b.method != Betting {
			t.Fatalf("a level of 1e-6 is decided by %s", b.method)
		}
		if b.lcb > 0 {
			found++
		}
		if b.lcb >= b.mean {
			t.Errorf("lower bound %v above the mean %v", b.lcb, b.mean)
		}
		ratio += (b.mean - b.lcb) / b.se / runs
	}
	t.Logf("6.7 standard errors at 1e-6: proved in %d of %d, bound %.2f standard errors below the mean (normal 4.75)", found, runs, ratio)
	if found < 80 {
		t.Errorf("proved in %d of %d runs", found, runs)
	}
}

// The bound is a valid number at levels that underflow.
func TestBettingBelowSmallestAlpha(t *testing.T) {
	t.Parallel()
	x := flip(500, 1, 0.9, rand.New(rand.NewPCG(1, 9)))
	if b := x.lower(-800); b.method != Betting || math.IsNaN(b.lcb) || b.lcb > b.mean || b.lcb < x.lo {
		t.Errorf("bound at e^−800: %+v", b)
	}
}
