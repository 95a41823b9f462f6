package guard

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTokens(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		want []string
	}{
		{"7ft5in en in:7*12=84", []string{"7", "ft", "5", "in", "en", "in", ":", "7", "*", "1", "2", "=", "8", "4"}},
		{"  a\n\tb ", []string{"a", "b"}},
		{"niño más", []string{"niño", "más"}},
		{"ni\u006e\u0303o", []string{"nin\u0303o"}},
		{"日本語 x", []string{"日", "本", "語", "x"}},
		{"x日", []string{"x", "日"}},
		{"", nil},
		{"a\xffb", []string{"a", "\xff", "b"}},
	} {
		if diff := cmp.Diff(c.want, Tokens(c.text)); diff != "" {
			t.Errorf("%q:\n%s", c.text, diff)
		}
	}
}

// The curve by a second way: all n-grams of the first tokens, counted in a map.
func TestCurveAgainstCounting(t *testing.T) {
	t.Parallel()
	samples := sums(300, 99, rand.New(rand.NewPCG(1, 1)))
	m := Measure(samples)
	for _, p := range m.Curve {
		counts := [5]map[string]int{2: {}, 4: {}}
		left := p.Tokens
		for _, s := range samples {
			seq := []string{""}
			for _, tok := range Tokens(s.Text) {
				if left == 0 {
					break
				}
				left--
				seq = append(seq, tok)
				for _, n := range []int{2, 4} {
					if len(seq) >= n {
						counts[n][strings.Join(seq[len(seq)-n:], "\x00")]++
					}
				}
			}
		}
		total, entropy := 0, 0.0
		for _, c := range counts[4] {
			total += c
		}
		for _, c := range counts[4] {
			entropy -= float64(c) / float64(total) * math.Log2(float64(c)/float64(total))
		}
		if math.Abs(entropy-p.Entropy4) > 1e-9 || math.Abs(float64(len(counts[4]))/float64(total)-p.Distinct4) > 1e-12 {
			t.Errorf("%d tokens: entropy %v, distinct-4 %v; counted %v, %d of %d", p.Tokens, p.Entropy4, p.Distinct4, entropy, len(counts[4]), total)
		}
		if p.Distinct2 >= p.Distinct4 || p.Compression <= 1 {
			t.Errorf("%d tokens: distinct-2 %v, compression %v", p.Tokens, p.Distinct2, p.Compression)
		}
	}
	if full, ok := m.Full(); !ok || full.Tokens != m.Tokens || len(m.Curve) < 10 {
		t.Errorf("curve of %d points ends at %d of %d tokens", len(m.Curve), full.Tokens, m.Tokens)
	}
}

func TestMeasureCounts(t *testing.T) {
	t.Parallel()
	m := Measure([]Sample{
		{Text: "a b c d", Question: "a", Family: "x", Judged: true, Passed: true},
		{Text: "a b c e", Question: "a ", Family: "x", Judged: true},
		{Text: "f", Judged: true, Passed: true, Family: "y"},
		{Text: "f"},
	})
	if *m.Duplicates != 0.5 || math.Abs(*m.PassRate-2.0/3) > 1e-12 || m.Known != 3 || math.Abs(m.Families["x"]-2.0/3) > 1e-12 || math.Abs(m.Families["y"]-1.0/3) > 1e-12 {
		t.Errorf("duplicates %v, pass rate %v, families %v of %d", *m.Duplicates, *m.PassRate, m.Families, m.Known)
	}
	if m = Measure(nil); m.Samples != 0 || m.Duplicates != nil || m.PassRate != nil || m.Curve != nil {
		t.Errorf("no samples measure as %+v", m)
	}
	if m = Measure([]Sample{{Text: "a b"}}); m.Curve != nil || m.Tokens != 2 {
		t.Errorf("two tokens give a curve: %+v", m.Curve)
	}
}

func TestBitsPerByte(t *testing.T) {
	t.Parallel()
	if got, err := BitsPerByte(16*math.Ln2, 32); err != nil || math.Abs(got-0.5) > 1e-12 {
		t.Errorf("16 bits over 32 bytes is %v, %v", got, err)
	}
	for _, c := range []struct {
		nats  float64
		bytes uint64
	}{{1, 0}, {math.NaN(), 1}, {math.Inf(1), 1}, {-1, 1}} {
		if got, err := BitsPerByte(c.nats, c.bytes); err == nil {
			t.Errorf("BitsPerByte(%v, %d) is %v, want an error", c.nats, c.bytes, got)
		}
	}
}

// sums makes samples of sums with operands up to top: a small top is a collapsed generator.
func sums(n, top int, r *rand.Rand) []Sample {
	units := []string{"ft", "lb", "doc", "min", "yd"}
	out := make([]Sample, n)
	for i := range out {
		a, b, u := 1+r.IntN(top), 1+r.IntN(top), units[r.IntN(len(units))]
		q := fmt.Sprintf("%d%s+%d%s", a, u, b, u)
		out[i] = Sample{Text: fmt.Sprintf("%s:%d+%d=%d;%d%s", q, a, b, a+b, a+b, u), Question: q, Family: u, Judged: true, Passed: i%2 == 0}
	}
	return out
}

func at(m Metrics, bits float64) Metrics { m.BitsPerByte = &bits; return m }

func rate(m Metrics, p float64) Metrics { m.PassRate = &p; return m }

func TestAssess(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(2, 2))
	ref := at(Measure(sums(1000, 99, r)), 0.60)
	same := at(Measure(sums(1000, 99, r)), 0.60)
	collapsed := at(Measure(sums(1000, 40, r)), 0.60)
	calibrated := Defaults()
	calibrated.Calibrated = true
	fifths := map[string]float64{"ft": 0.2, "lb": 0.2, "doc": 0.2, "min": 0.2, "yd": 0.2}
	for _, c := range []struct {
		name  string
		in    Input
		level Level
		find  Name
		found Level
	}{
		{"healthy", Input{Candidate: same, RealFamilies: fifths}, OK, Entropy, OK},
		{"collapsed", Input{Candidate: collapsed, RealFamilies: fifths}, Halt, Entropy, Halt},
		{"held-out loss as before", Input{Candidate: at(same, 0.62)}, OK, NLL, OK},
		{"held-out loss warns", Input{Candidate: at(same, 0.64)}, Warn, NLL, Warn},
		{"held-out loss halts", Input{Candidate: at(same, 0.67)}, Halt, NLL, Halt},
		{"held-out loss not scored", Input{Candidate: Metrics{}}, OK, NLL, Unavailable},
		{"pass rate warns", Input{Candidate: rate(same, 0.45)}, Warn, PassRate, Warn},
		{"pass rate halts", Input{Candidate: rate(same, 0.40)}, Halt, PassRate, Halt},
		{"incumbent passes nothing", Input{Incumbent: rate(ref, 0), Candidate: rate(same, 0)}, OK, PassRate, OK},
		{"duplicates", Input{Candidate: func() Metrics { m := same; m.Duplicates = new(0.3); return m }()}, Warn, Duplicates, Warn},
		{"a family is gone", Input{Candidate: same, RealFamilies: map[string]float64{"mi": 0.2}}, Halt, FamilyShare, Halt},
		{"a family is too rare to tell", Input{Candidate: same, RealFamilies: map[string]float64{"mi": 0.01}}, OK, FamilyShare, Unavailable},
		{"a family at half", Input{Candidate: same, RealFamilies: map[string]float64{"ft": 0.45}}, Warn, FamilyShare, Warn},
	} {
		for _, mode := range []string{"calibrated", "not calibrated", "no synthetic share"} {
			in, level, found := c.in, c.level, c.found
			in.Limits, in.Reference, in.Best, in.SyntheticShare = calibrated, ref, ref, 0.65
			if in.Incumbent.Samples == 0 {
				in.Incumbent = rate(ref, 0.5)
			}
			switch mode {
			case "not calibrated":
				in.Limits = Defaults()
			case "no synthetic share":
				in.SyntheticShare = 0
			}
			if mode != "calibrated" && level == Halt {
				level = Warn
			}
			if mode != "calibrated" && found == Halt {
				found = Warn
			}
			report := Assess(in)
			f, ok := report.Find(c.find)
			if report.Level != level || !ok || f.Level != found || f.Reached != c.found {
				t.Errorf("%s, %s: %s; %s is %s (reaches %s): %s; want %s and %s", c.name, mode, report.Level, c.find, f.Level, f.Reached, f.Text, level, found)
			}
			for _, f := range report.Findings {
				if f.Text == "" || (f.Change == nil) != (f.Level == Unavailable) {
					t.Errorf("%s: finding without figure or text: %+v", c.name, f)
				}
			}
		}
	}
}

// Two generators that write the same text are equal however long their samples are.
func TestAssessMatchesLength(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 3))
	long := sums(2000, 99, r)
	joined := make([]Sample, 1000)
	for i := range joined {
		joined[i] = Sample{Text: long[2*i].Text + "\n" + long[2*i+1].Text}
	}
	ref, twice := Measure(sums(1000, 99, r)), Measure(joined)
	full, _ := ref.Full()
	fullTwice, _ := twice.Full()
	if change := 1 - fullTwice.Distinct4/full.Distinct4; change < 0.08 {
		t.Fatalf("twice the text moves distinct-4 by %.3f alone: the test shows nothing", change)
	}
	report := Assess(Input{Limits: Defaults(), Reference: ref, Candidate: twice, SyntheticShare: 1})
	for _, m := range []Name{Entropy, Distinct, Compression} {
		if f, _ := report.Find(m); f.Reached != OK {
			t.Errorf("%s: %s", m, f.Text)
		}
	}
}

func TestLimitsWith(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	got, err := Defaults().With(map[string]Limit{"nll": {nan, 0.2}, "family_share": {0.4, 0.1}})
	if err != nil || got.By[NLL] != (Limit{0.05, 0.2}) || got.By[FamilyShare] != (Limit{0.4, 0.1}) || got.By[Entropy] != Defaults().By[Entropy] {
		t.Errorf("limits %+v, %v", got, err)
	}
	for name, limit := range map[string]Limit{
		"perplexity": {1, 2}, "nll": {0.2, nan}, "entropy": {0, nan}, "distinct4": {nan, math.Inf(1)}, "family_share": {0.2, 0.3}, "compression": {-1, nan},
	} {
		if got, err := Defaults().With(map[string]Limit{name: limit}); err == nil {
			t.Errorf("%s %v gives %+v, want an error", name, limit, got.By[Name(name)])
		}
	}
}

func TestCalibrate(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(4, 4))
	raw := sums(800, 99, r)
	for i := range raw { // a domain that passes one in ten: chance alone moves the rate by more than the default halts at
		raw[i].Passed = i%10 == 0
	}
	c, err := Calibrate(Defaults(), raw, 40, 1)
	if err != nil {
		t.Fatal(err)
	}
	if !c.Limits.Calibrated || c.Half != 400 {
		t.Errorf("calibrated %v on halves of %d", c.Limits.Calibrated, c.Half)
	}
	for m, d := range Defaults().By {
		if l := c.Limits.By[m]; m != FamilyShare && (l.Warn < d.Warn || l.Halt < d.Halt) {
			t.Errorf("%s was tightened from %v to %v", m, d, l)
		}
	}
	if l := c.Limits.By[PassRate]; l.Warn < 0.4 || l.Halt <= l.Warn || l.Halt > 0.95 || l.Warn < 0.9 && math.Abs(l.Warn-1.5*c.Noise[PassRate]) > 1e-12 {
		t.Errorf("pass rate limits %v with noise %v", l, c.Noise[PassRate])
	}
	if l := c.Limits.By[NLL]; l != Defaults().By[NLL] {
		t.Errorf("held-out loss limits moved to %v", l)
	}
	t.Logf("noise %v, limits %v", c.Noise, c.Limits.By)
	again, err := Calibrate(Defaults(), raw, 40, 1)
	if diff := cmp.Diff(c, again); err != nil || diff != "" {
		t.Errorf("the same seed calibrates otherwise: %v\n%s", err, diff)
	}
	if c, err := Calibrate(Defaults(), make([]Sample, 500), 20, 1); err != nil || c.Limits.Calibrated {
		t.Errorf("samples without text calibrate: %v, %v", c.Limits.Calibrated, err)
	}
	if _, err := Calibrate(Defaults(), raw[:99], 40, 1); err == nil {
		t.Error("99 samples calibrate")
	}
	if _, err := Calibrate(Defaults(), raw, 19, 1); err == nil {
		t.Error("19 rounds calibrate")
	}
}

// Limits that few samples calibrate are wide: another generator like the first is hardly ever beyond them.
func TestCalibrateOnFew(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 5))
	few := sums(100, 99, r)
	c, err := Calibrate(Defaults(), few, 40, 1)
	if err != nil || !c.Limits.Calibrated || c.Half != 50 {
		t.Fatalf("calibrated %v on halves of %d, %v", c.Limits.Calibrated, c.Half, err)
	}
	reference, halts := Measure(few[:50]), 0
	const pairs = 100
	for range pairs {
		candidate := Measure(sums(50, 99, r))
		if Assess(Input{Limits: c.Limits, Reference: reference, Incumbent: reference, Candidate: candidate, SyntheticShare: 1}).Level == Halt {
			halts++
		}
	}
	t.Logf("%d of %d halted, limits %v", halts, pairs, c.Limits.By)
	if halts > pairs/20 {
		t.Errorf("%d of %d generators like the first are halted", halts, pairs)
	}
}
