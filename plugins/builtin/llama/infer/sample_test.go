package infer

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// chances gives the probability of every token as Sampling's comment describes it, step by step, in float64.
func chances(logits []float32, seen []int32, s Sampling) []float64 {
	n := len(logits)
	x := wide(logits)
	if s.RepetitionPenalty != 0 {
		for _, t := range seen {
			if x[t] > 0 {
				x[t] /= s.RepetitionPenalty
			} else {
				x[t] *= s.RepetitionPenalty
			}
		}
	}
	p := make([]float64, n)
	top := slices.Max(x)
	for i := range x {
		p[i] = math.Exp((x[i] - top) / s.Temperature)
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(p[b], p[a]), a-b) })
	keep := func(want func(rank int, before, all float64) bool) {
		var all, before float64
		for _, v := range p {
			all += v
		}
		for rank, t := range order {
			v := p[t]
			if !want(rank, before, all) {
				p[t] = 0
			}
			before += v
		}
	}
	if s.TopK > 0 {
		keep(func(rank int, _, _ float64) bool { return rank < s.TopK })
	}
	if s.TopP > 0 && s.TopP < 1 {
		keep(func(_ int, before, all float64) bool { return before < s.TopP*all })
	}
	for i := range p {
		if p[i] < s.MinP {
			p[i] = 0
		}
	}
	var sum float64
	for _, v := range p {
		sum += v
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}

// TestChooseFollowsTheChances draws at evenly spaced numbers, so the shares of tokens are their chances up to 1/draws.
func TestChooseFollowsTheChances(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	logits := make([]float32, 300)
	for i := range logits {
		logits[i] = float32(r.NormFloat64() * 3)
	}
	seen := []int32{3, 77, int32(slices.Index(logits, slices.Max(logits)))}
	for _, s := range []Sampling{
		{Temperature: 1}, {Temperature: 0.5}, {Temperature: 2}, {Temperature: 1, TopK: 1}, {Temperature: 1, TopK: 7}, {Temperature: 1.5, TopK: 290},
		{Temperature: 1, TopP: 0.9}, {Temperature: 1, TopP: 0.01}, {Temperature: 1, MinP: 0.1}, {Temperature: 1, MinP: 1},
		{Temperature: 0.7, TopK: 20, TopP: 0.8, MinP: 0.05, RepetitionPenalty: 1.3}, {Temperature: 1, RepetitionPenalty: 5},
	} {
		const draws = 20000
		want := chances(logits, seen, s)
		got := make([]float64, len(logits))
		c := chooser{Sampling: s}
		for i := range draws {
			tok, lp := c.choose(logits, seen, (float64(i)+0.5)/draws)
			got[tok] += 1. / draws
			if w := logprob(wide(logits), tok); !(math.Abs(float64(lp)-w) < 1e-5) {
				t.Fatalf("%+v: log-probability %g of token %d, want the model's own %g", s, lp, tok, w)
			}
		}
		for i := range want {
			if !(math.Abs(got[i]-want[i]) <= 1.5/draws) {
				t.Errorf("%+v: token %d drawn %.5f of the time, want %.5f", s, i, got[i], want[i])
			}
		}
	}
}

func TestGreedyPenalty(t *testing.T) {
	t.Parallel()
	c := chooser{Sampling: Sampling{RepetitionPenalty: 2}}
	if got, _ := c.choose([]float32{1, 4, 3, 3}, []int32{1}, 0); got != 2 {
		t.Errorf("chose %d: the penalty brings token 1 to 2, and of the equal ones 2 comes first", got)
	}
}

func TestUniform(t *testing.T) {
	t.Parallel()
	const n = 100000
	var sum, square, both float64
	last := 0.0
	for i := range uint64(n) {
		u := uniform(i%317, i/317)
		if !(u >= 0 && u < 1) {
			t.Fatalf("%g is not in [0, 1)", u)
		}
		sum += u
		square += u * u
		both += u * last
		last = u
	}
	if m, v, c := sum/n, square/n-sum*sum/n/n, both/n-sum*sum/n/n; math.Abs(m-0.5) > 0.004 || math.Abs(v-1./12) > 0.002 || math.Abs(c) > 0.002 {
		t.Errorf("mean %g, variance %g, covariance of neighbours %g", m, v, c)
	}
	if uniform(1, 2) == uniform(2, 1) || uniform(5, 0) == uniform(5, 1) {
		t.Error("seed and step are not told apart")
	}
}

func FuzzChoose(f *testing.F) {
	f.Add([]byte{1, 2, 3, 250}, 1.0, 0.9, 0.1, 2, 0.5)
	f.Fuzz(func(t *testing.T, data []byte, temp, topP, minP float64, topK int, u float64) {
		s := Sampling{Temperature: temp, TopP: topP, MinP: minP, TopK: topK, MaxTokens: 1}
		if s.Check() != nil || !(u >= 0 && u < 1) || len(data) == 0 {
			return
		}
		logits := make([]float32, len(data))
		for i, b := range data {
			logits[i] = float32(int8(b)) / 4
		}
		c := chooser{Sampling: s}
		if tok, _ := c.choose(logits, nil, u); tok < 0 || int(tok) >= len(logits) {
			t.Errorf("token %d of %d", tok, len(logits))
		}
	})
}
