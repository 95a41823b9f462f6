package infer

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// generate collects the results of requests.
func generate(t testing.TB, m *Model, rs []Request, s Sampling, o Options) (out []Result) {
	t.Helper()
	err := m.Generate(context.Background(), len(rs), func(i int) Request { return rs[i] }, s, o, func(r Result) error {
		out = append(out, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) != len(rs) {
		t.Fatalf("%d results for %d requests", len(out), len(rs))
	}
	return out
}

func score(t testing.TB, m *Model, items []Item, o Options) (out [][]Likelihood) {
	t.Helper()
	err := m.Score(context.Background(), len(items), func(i int) Item { return items[i] }, o, func(i int, l []Likelihood) error {
		if i != len(out) {
			t.Errorf("item %d came at place %d", i, len(out))
		}
		out = append(out, l)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// requests gives n requests with prompts of mixed lengths, from BOS alone to most of the context.
func requests(m *Model, n int) (out []Request) {
	for i := range n {
		p := m.Tokenizer.Sequence(strings.Repeat(texts[i%len(texts)], i%3)[:i%5*len(texts[i%len(texts)])*(i%3)/4])
		out = append(out, Request{Prompt: p[:min(len(p), 90)], Seed: uint64(1000 + i)})
	}
	return out
}

// parity is how far logits and log-probabilities in float32 may lie from the float64 reference.
const parity = 1e-4

// TestModelOwnsItsParameters: what it was made from may go, or change.
func TestModelOwnsItsParameters(t *testing.T) {
	t.Parallel()
	m, w := small(t)
	write := func() []Result {
		return generate(t, m, requests(m, 4), Sampling{MaxTokens: 20}, Options{Threads: 1, Batch: 2})
	}
	before := write()
	clear(w.Flat)
	if d := cmp.Diff(before, write()); d != "" {
		t.Errorf("it writes otherwise (-before +after):\n%s", d)
	}
}

func TestPassEqualsReference(t *testing.T) {
	t.Parallel()
	m, w := small(t)
	ids := m.Tokenizer.Sequence(texts[0] + texts[2])
	want := reference(w, ids)
	r := runner{Model: m}
	c := newCache(m.Config)
	c.reserve(len(ids), m.Config.Context)
	r.pass([]span{{c, ids}})
	rows := make([]int, len(ids))
	for i := range rows {
		rows[i] = i
	}
	for i, got := range r.logits(rows) {
		if d := math.Abs(float64(got) - want[i/w.Vocab][i%w.Vocab]); !(d <= parity) {
			t.Fatalf("logit %d after token %d: %g, reference %g", i%w.Vocab, i/w.Vocab, got, want[i/w.Vocab][i%w.Vocab])
		}
	}
}

// TestPassInPieces: however a sequence is cut into passes and whatever goes along, every logit has the same bits.
func TestPassInPieces(t *testing.T) {
	t.Parallel()
	m, _ := small(t)
	ids := m.Tokenizer.Sequence(texts[0] + texts[2])
	whole := func(cuts ...int) (out []float32) {
		r := runner{Model: m}
		c, other := newCache(m.Config), newCache(m.Config)
		from := 0
		for k, to := range append(cuts, len(ids)) {
			spans := []span{{c, ids[from:to]}}
			c.reserve(to, m.Config.Context)
			first := 0
			if k%2 == 1 { // company before it
				other.len = 0
				other.reserve(k, m.Config.Context)
				spans, first = []span{{other, ids[:min(k, len(ids))]}, spans[0]}, min(k, len(ids))
			}
			r.pass(spans)
			var rows []int
			for i := range to - from {
				rows = append(rows, first+i)
			}
			out = append(out, r.logits(rows)...)
			from = to
		}
		return out
	}
	var single []int
	for i := 1; i < len(ids); i++ {
		single = append(single, i)
	}
	want := whole()
	for name, cuts := range map[string][]int{"token by token": single, "in the middle": {17}, "ragged": {1, 2, 9, 20, 21}} {
		if !slices.Equal(want, whole(cuts...)) {
			t.Errorf("%s: other bits than in one pass", name)
		}
	}
}

func TestGreedyEqualsReference(t *testing.T) {
	t.Parallel()
	m, w := small(t)
	for _, r := range generate(t, m, requests(m, 6), Sampling{MaxTokens: 12}, Options{Threads: 1, Batch: 3}) {
		ids := slices.Clone(requests(m, 6)[r.Index].Prompt)
		for i, got := range r.Tokens {
			all := reference(w, ids)
			logits := all[len(all)-1]
			best := int32(slices.Index(logits, slices.Max(logits)))
			if got != best {
				t.Fatalf("request %d, token %d: %d, reference %d", r.Index, i, got, best)
			}
			if d := math.Abs(float64(r.Logprobs[i]) - logprob(logits, got)); !(d <= parity) {
				t.Errorf("request %d, token %d: log-probability %g, reference %g", r.Index, i, r.Logprobs[i], logprob(logits, got))
			}
			ids = append(ids, got)
		}
	}
}

// TestCompany is the promise of the package comment.
func TestCompany(t *testing.T) {
	t.Parallel()
	m, _ := small(t)
	rs := requests(m, 64)
	for name, s := range map[string]Sampling{
		"plain":    {Temperature: 1, MaxTokens: 40},
		"filtered": {Temperature: 0.8, TopK: 40, TopP: 0.9, MinP: 0.01, RepetitionPenalty: 1.2, MaxTokens: 40, Stop: []string{"="}},
	} {
		var alone []Result
		for i, r := range rs {
			got := generate(t, m, []Request{r}, s, Options{Threads: 1, Batch: 1})[0]
			got.Index = i
			alone = append(alone, got)
		}
		for _, o := range []Options{{Threads: 1, Batch: 64}, {Threads: 1, Batch: 7}, {Threads: 2, Batch: 64}, {Threads: 3, Batch: 5}, {Threads: 5, Batch: 2}} {
			if d := cmp.Diff(alone, generate(t, m, rs, s, o)); d != "" {
				t.Errorf("%s, %+v (-alone +together):\n%s", name, o, d)
			}
		}
		lengths := map[int]bool{}
		for _, r := range alone {
			lengths[len(r.Tokens)] = true
		}
		if len(lengths) < 4 {
			t.Errorf("%s: texts of lengths %v only: nothing left and entered in mid-work", name, lengths)
		}
	}
}

func TestScoreEqualsReference(t *testing.T) {
	t.Parallel()
	m, w := small(t)
	items := []Item{
		{Prompt: m.Tokenizer.Sequence("7ft5in en in:"), Continuations: []string{"7*12=84", "", "8", "the answer and the question"}, End: true},
		{Prompt: m.Tokenizer.Sequence(""), Continuations: []string{"the question", ""}},
		{Prompt: m.Tokenizer.Sequence("no continuation")},
		{Prompt: m.Tokenizer.Sequence("too long"), Continuations: []string{"fits", strings.Repeat("9", 100)}},
	}
	got := score(t, m, items, Options{Threads: 2, Batch: 1})
	for i, it := range items[:3] {
		for k, text := range it.Continuations {
			cont := m.Tokenizer.Encode(text)
			if it.End {
				cont = append(cont, m.Tokenizer.EOS())
			}
			ids := append(slices.Clone(it.Prompt), cont...)
			logits := reference(w, ids)
			want := Likelihood{Tokens: len(cont), Bytes: len(text)}
			for j, id := range cont {
				want.LogProb += logprob(logits[len(it.Prompt)+j-1], id)
			}
			l := got[i][k]
			if l.Tokens != want.Tokens || l.Bytes != want.Bytes || !(math.Abs(l.LogProb-want.LogProb) <= parity*float64(1+len(cont))) {
				t.Errorf("item %d, %q: %+v, reference %+v", i, text, l, want)
			}
		}
	}
	if got[3] != nil {
		t.Errorf("an item longer than the context has likelihoods %v", got[3])
	}
}

// TestScoreAgreesWithGenerate: what was sampled is scored as it was sampled.
func TestScoreAgreesWithGenerate(t *testing.T) {
	t.Parallel()
	m, _ := small(t)
	rs := requests(m, 40)
	compared := 0
	for _, r := range generate(t, m, rs, Sampling{Temperature: 1, MaxTokens: 12}, Options{Threads: 1, Batch: 8}) {
		ids := r.Tokens
		if !slices.Equal(m.Tokenizer.Encode(r.Text), ids) {
			continue // the model spelled it in another way than the tokenizer would
		}
		compared++
		var sum float64
		for _, lp := range r.Logprobs {
			sum += float64(lp)
		}
		l := score(t, m, []Item{{Prompt: rs[r.Index].Prompt, Continuations: []string{r.Text}}}, Options{Threads: 1, Batch: 1})
		if d := math.Abs(l[0][0].LogProb - sum); !(d <= 1e-5*float64(len(ids))) {
			t.Errorf("%q: scored %g, sampled at %g", r.Text, l[0][0].LogProb, sum)
		}
	}
	if compared < 5 {
		t.Errorf("only %d texts could be compared", compared)
	}
}

func TestScoreCompany(t *testing.T) {
	t.Parallel()
	m, _ := small(t)
	var items []Item
	for i := range 60 {
		it := Item{Prompt: m.Tokenizer.Sequence(texts[i%6][:i%20]), End: i%2 == 0}
		for k := range i % 5 {
			it.Continuations = append(it.Continuations, texts[(i+k)%6][:(7*i+k)%25])
		}
		items = append(items, it)
	}
	var alone [][]Likelihood
	for _, it := range items {
		alone = append(alone, score(t, m, []Item{it}, Options{Threads: 1, Batch: 1})...)
	}
	for _, threads := range []int{1, 2, 3} {
		if d := cmp.Diff(alone, score(t, m, items, Options{Threads: threads, Batch: 1})); d != "" {
			t.Errorf("%d threads (-alone +together):\n%s", threads, d)
		}
	}
}

func TestEnds(t *testing.T) {
	t.Parallel()
	m, _ := small(t)
	one := Options{Threads: 1, Batch: 1}
	start := []Request{{Prompt: m.Tokenizer.Sequence("the"), Seed: 3}}
	free := generate(t, m, start, Sampling{Temperature: 1, MaxTokens: 30}, one)[0]
	if len(free.Text) < 8 {
		t.Fatalf("the text %q is too short for the test", free.Text)
	}
	stop := free.Text[3:5]
	got := generate(t, m, start, Sampling{Temperature: 1, MaxTokens: 30, Stop: []string{"never there", stop}}, one)[0]
	if want := free.Text[:strings.Index(free.Text, stop)]; got.Text != want || got.Finish != Stopped {
		t.Errorf("stop %q: %q, %s; want %q", stop, got.Text, got.Finish, want)
	}
	cut := generate(t, m, start, Sampling{Temperature: 1, MaxTokens: 2}, one)[0]
	if len(cut.Tokens) != 2 || cut.Finish != Length {
		t.Errorf("max_tokens 2: %d tokens, %s", len(cut.Tokens), cut.Finish)
	}
	full := make([]int32, m.Config.Context-3)
	long := generate(t, m, []Request{{Prompt: full}, {Prompt: append(full, 0, 0, 0)}}, Sampling{Temperature: 0, MaxTokens: 50}, one)
	if n := len(long[0].Tokens); n > 3 || n < 3 && long[0].Finish != Stopped {
		t.Errorf("3 positions below the context: %d tokens, %s", n, long[0].Finish)
	}
	if len(long[1].Tokens) != 0 || long[1].Finish != Length {
		t.Errorf("a prompt that fills the context: %d tokens, %s", len(long[1].Tokens), long[1].Finish)
	}
}

func TestEndTokens(t *testing.T) {
	t.Parallel()
	m, w := small(t)
	for _, end := range []int32{m.Tokenizer.EOS(), m.Tokenizer.EndTurn()} {
		x := w.Clone()
		copy(x.Norm, make([]float32, x.Dim))
		m2, err := New(x, m.Tokenizer) // all logits are 0: the lowest id wins, which is BOS, and BOS ends nothing
		if err != nil {
			t.Fatal(err)
		}
		d := newDecoder(m2, Sampling{MaxTokens: 5, Stop: []string{"x"}}, 1)
		if f, text := d.settle(&sequence{text: []byte("so far"), tokens: []int32{end}}, end); f != Stopped || text != "so far" {
			t.Errorf("token %d: %q, %q", end, f, text)
		}
		r := generate(t, m2, []Request{{Prompt: []int32{0}}}, Sampling{MaxTokens: 2}, Options{Threads: 1, Batch: 1})[0]
		if r.Text != strings.Repeat("<|begin_of_text|>", 2) || r.Finish != Length {
			t.Errorf("equal logits: %q, %s; the lowest id must win", r.Text, r.Finish)
		}
	}
}

func TestGenerateStops(t *testing.T) {
	t.Parallel()
	m, _ := small(t)
	rs := requests(m, 200)
	at := func(i int) Request { return rs[i] }
	s, o := Sampling{Temperature: 1, MaxTokens: 20}, Options{Threads: 2, Batch: 4}
	want := generate(t, m, rs, s, o)

	ctx, cancel := context.WithCancel(context.Background())
	var got []Result
	err := m.Generate(ctx, len(rs), at, s, o, func(r Result) error {
		if got = append(got, r); len(got) == 10 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || len(got) < 10 || len(got) == len(rs) {
		t.Fatalf("error %v after %d results", err, len(got))
	}
	if d := cmp.Diff(want[:len(got)], got); d != "" {
		t.Errorf("what came before the stop (-undisturbed +stopped):\n%s", d)
	}

	broken := errors.New("broken")
	n := 0
	err = m.Generate(context.Background(), len(rs), at, s, o, func(Result) error { n++; return broken })
	if err != broken || n != 1 {
		t.Errorf("error %v after %d calls of a broken emit", err, n)
	}
	err = m.Generate(context.Background(), 2, func(int) Request { return Request{} }, s, o, func(Result) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "empty") {
		t.Errorf("an empty prompt: error %v", err)
	}
}

func TestSamplingCheck(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		s    Sampling
		want string
	}{
		{Sampling{MaxTokens: 1}, ""},
		{Sampling{}, "max_tokens"},
		{Sampling{MaxTokens: 1, Temperature: -1}, "temperature"},
		{Sampling{MaxTokens: 1, Temperature: math.NaN()}, "temperature"},
		{Sampling{MaxTokens: 1, TopP: 1.5}, "top_p"},
		{Sampling{MaxTokens: 1, TopK: -1}, "top_k"},
		{Sampling{MaxTokens: 1, Stop: []string{""}}, "stop"},
	} {
		if err := c.s.Check(); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want one about %q", c.s, err, c.want)
		}
	}
}
