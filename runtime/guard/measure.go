package guard

import (
	"bytes"
	"compress/flate"
	"fmt"
	"math"
	"sort"
	"strings"
)

// SampleCount is how many raw samples diversity and pass rate are measured on. Measure takes the first that many.
const SampleCount = 1000

// Sample is one raw sample of a generator at temperature 1, before any filter.
type Sample struct {
	Text     string // the whole sample
	Question string // the prompt or question that the sample states; empty: the whole text stands for it
	Family   string // kind of task, by the domain's verifier; empty: unknown
	Judged   bool   // a verifier looked at it
	Passed   bool   // every step and the answer are right
}

// Point is one place on a rarefaction curve: the measures of the first Tokens tokens.
type Point struct {
	Tokens      int     `json:"tokens"`
	Entropy4    float64 `json:"entropy4"`    // bits, Shannon entropy of the 4-gram distribution, plug-in estimate
	Distinct4   float64 `json:"distinct4"`   // different 4-grams / 4-grams
	Distinct2   float64 `json:"distinct2"`   // different 2-grams / 2-grams
	Compression float64 `json:"compression"` // bytes / bytes after deflate at level 9; higher is more repetitive
}

// Metrics is what one model's raw samples look like. The zero value says that nothing was measured.
type Metrics struct {
	Samples     int                `json:"samples"`            // raw samples measured, at most SampleCount
	Tokens      int                `json:"tokens"`             // tokens in them
	Curve       []Point            `json:"curve"`              // by increasing Tokens; the last is all of them
	Duplicates  *float64           `json:"duplicates"`         // 1 − different questions / samples
	PassRate    *float64           `json:"pass_rate"`          // passed / judged; nil: no verifier
	Known       int                `json:"known"`              // samples whose family is known
	Families    map[string]float64 `json:"families,omitempty"` // family → its share of Known
	BitsPerByte *float64           `json:"bits_per_byte"`      // of held-out real text, all tokens; nil: cannot be scored
}

// Full returns the measures of all samples together, or false when there was too little text for one 4-gram.
func (m Metrics) Full() (Point, bool) {
	if len(m.Curve) == 0 {
		return Point{}, false
	}
	return m.Curve[len(m.Curve)-1], true
}

// Measure takes the measures of raw samples, in the order given. Diversity, duplicates and pass rate are taken from
// the first SampleCount samples; families from all. BitsPerByte is left to the caller, who holds the likelihoods.
func Measure(samples []Sample) Metrics {
	first := samples[:min(len(samples), SampleCount)]
	return measure(samples, first, grid)
}

// measure takes curves at the counts that at gives for a total.
func measure(samples, first []Sample, at func(total int) []int) Metrics {
	m := Metrics{Samples: len(first)}
	if len(first) == 0 {
		return m
	}
	m.Curve, m.Tokens = rarefy(first, at)
	m.Duplicates = new(duplicates(first))
	m.PassRate = passRate(first)
	m.Families, m.Known = families(samples)
	return m
}

// BitsPerByte turns the negative log-likelihood of held-out text, in nats over all tokens, into bits per byte of that
// text: nats / ln 2 / bytes. It does not depend on the tokenizer.
func BitsPerByte(nats float64, bytes uint64) (float64, error) {
	if bytes == 0 {
		return 0, fmt.Errorf("bits per byte: the held-out text has no bytes")
	}
	if math.IsNaN(nats) || math.IsInf(nats, 0) || nats < 0 {
		return 0, fmt.Errorf("bits per byte: negative log-likelihood is %v", nats)
	}
	return nats / math.Ln2 / float64(bytes), nil
}

func duplicates(samples []Sample) float64 {
	seen := make(map[string]struct{}, len(samples))
	for _, s := range samples {
		q := s.Question
		if q == "" {
			q = s.Text
		}
		seen[strings.TrimSpace(q)] = struct{}{}
	}
	return 1 - float64(len(seen))/float64(len(samples))
}

func passRate(samples []Sample) *float64 {
	var judged, passed int
	for _, s := range samples {
		if s.Judged {
			judged++
			if s.Passed {
				passed++
			}
		}
	}
	if judged == 0 {
		return nil
	}
	return new(float64(passed) / float64(judged))
}

func families(samples []Sample) (map[string]float64, int) {
	count := map[string]int{}
	known := 0
	for _, s := range samples {
		if s.Family != "" {
			count[s.Family]++
			known++
		}
	}
	if known == 0 {
		return nil, 0
	}
	out := make(map[string]float64, len(count))
	for f, n := range count {
		out[f] = float64(n) / float64(known)
	}
	return out, known
}

// grid is the token counts at which curves are taken: 512·2^(i/4), rounded. It is the same for every model, so that
// two curves meet; neighbours lie 19 % apart.
func grid(total int) []int {
	var out []int
	for i := 0; ; i++ {
		n := int(math.Round(512 * math.Pow(2, float64(i)/4)))
		if n > total {
			break
		}
		out = append(out, n)
	}
	if len(out) == 0 || out[len(out)-1] != total {
		out = append(out, total)
	}
	return out
}

// rarefy walks the samples once and takes the measures at each count of the grid. n-grams do not cross samples; a
// boundary token stands before each sample, so that how samples begin counts.
func rarefy(samples []Sample, at func(total int) []int) ([]Point, int) {
	var text bytes.Buffer
	var ends []int // byte offset in text after each token
	var grams2, grams4 ngrams
	grams2.n, grams4.n = 2, 4
	ids := map[string]uint32{"": 0}
	for _, s := range samples {
		grams2.start()
		grams4.start()
		from := 0
		for _, tok := range Tokens(s.Text) {
			to := strings.Index(s.Text[from:], tok) + from + len(tok)
			text.WriteString(s.Text[from:to])
			from = to
			id, ok := ids[tok]
			if !ok {
				id = uint32(len(ids))
				ids[tok] = id
			}
			grams2.push(id)
			grams4.push(id)
			ends = append(ends, text.Len())
		}
		text.WriteByte('\n')
	}
	if len(grams4.seq) == 0 {
		return nil, len(ends)
	}
	var curve []Point
	for _, n := range at(len(ends)) {
		h4, d4, ok := grams4.upTo(n)
		_, d2, _ := grams2.upTo(n)
		if !ok {
			continue
		}
		curve = append(curve, Point{Tokens: n, Entropy4: h4, Distinct4: d4, Distinct2: d2, Compression: compression(text.Bytes()[:ends[n-1]])})
	}
	return curve, len(ends)
}

// ngrams numbers the n-grams of a token stream: seq[i] ends at token at[i].
type ngrams struct {
	n      int
	window []uint32
	tokens int
	ids    map[[4]uint32]int
	seq    []int
	at     []int
	counts []int // of the prefix that upTo has seen
	next   int   // first of seq that upTo has not seen
}

func (g *ngrams) start() { g.window = append(g.window[:0], 0) }

func (g *ngrams) push(id uint32) {
	g.tokens++
	g.window = append(g.window, id)
	if len(g.window) < g.n {
		return
	}
	var key [4]uint32
	copy(key[:], g.window[len(g.window)-g.n:])
	if g.ids == nil {
		g.ids = map[[4]uint32]int{}
	}
	i, ok := g.ids[key]
	if !ok {
		i = len(g.ids)
		g.ids[key] = i
	}
	g.seq, g.at = append(g.seq, i), append(g.at, g.tokens)
}

// upTo returns entropy in bits and the distinct share of the n-grams within the first tokens. Calls must not go back.
func (g *ngrams) upTo(tokens int) (entropy, distinct float64, ok bool) {
	for g.next < len(g.seq) && g.at[g.next] <= tokens {
		i := g.seq[g.next]
		for len(g.counts) <= i {
			g.counts = append(g.counts, 0)
		}
		g.counts[i]++
		g.next++
	}
	if g.next == 0 {
		return 0, 0, false
	}
	total := float64(g.next)
	for _, c := range g.counts {
		p := float64(c) / total
		entropy -= p * math.Log2(p)
	}
	return math.Max(0, entropy), float64(len(g.counts)) / total, true
}

// compression returns length / deflated length at level 9.
func compression(text []byte) float64 {
	var n counter
	w, err := flate.NewWriter(&n, flate.BestCompression)
	if err != nil {
		panic(err) // cannot happen: the level is valid
	}
	if _, err := w.Write(text); err != nil {
		panic(err) // cannot happen: counter does not fail
	}
	if err := w.Close(); err != nil {
		panic(err) // cannot happen: counter does not fail
	}
	return float64(len(text)) / float64(n)
}

type counter int

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// shared returns the points of both curves at the largest token count that both were measured at.
func shared(a, b Metrics) (pa, pb Point, ok bool) {
	at := make(map[int]Point, len(a.Curve))
	for _, p := range a.Curve {
		at[p.Tokens] = p
	}
	i := sort.Search(len(b.Curve), func(i int) bool { return b.Curve[i].Tokens > a.Tokens })
	for i--; i >= 0; i-- {
		if p, found := at[b.Curve[i].Tokens]; found {
			return p, b.Curve[i], true
		}
	}
	return Point{}, Point{}, false
}
