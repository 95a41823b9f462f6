package gate

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jupiter/runtime/guard"
)

// split makes n items from a score of each side as a function of the item's last digit.
func split(n int, challenger, incumbent func(digit int) Components) []Item {
	out := make([]Item, n)
	for i := range out {
		out[i] = Item{ID: fmt.Sprintf("q%04d", i), Challenger: challenger(i % 10), Incumbent: incumbent(i % 10)}
	}
	return out
}

func scores(acc, coh, dom float64) Components { return Components{&acc, &coh, &dom} }

// rightBelow answers the items right whose digit is in [from, to).
func rightBelow(from, to int) func(int) Components {
	return func(digit int) Components {
		acc := 0.0
		if digit >= from && digit < to {
			acc = 1
		}
		return scores(acc, 0.8, 1)
	}
}

// promotable is evidence that promotes: the challenger has 7 of 10 right, the incumbent 5, on 500 items.
func promotable() Evidence {
	items := split(500, rightBelow(1, 8), rightBelow(0, 5))
	return Evidence{
		Step: 20000, Dev: items, Gate: items, Pool: Pool{500, 500}, Look: Look{K: 1},
		Guard:    healthy(),
		PassRate: Pair{Known(0.50), Known(0.45)}, BitsPerByte: Pair{Known(0.60), Known(0.61)},
	}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		policy  func(*Policy)
		change  func(*Evidence)
		verdict Verdict
		code    Code
		split   string
		says    string // part of the summary
	}{
		{"better", nil, nil, Promote, CodeBetter, "gate", "better with confidence; best estimate +10.8 %"},
		{"better, absolute threshold", func(p *Policy) { p.Kind = Absolute }, nil, Promote, CodeBetter, "gate", "best estimate +0.0800 points"},
		{"better, strict", func(p *Policy) { p.Strict, p.Threshold = true, 0.02 }, nil, Promote, CodeBetter, "gate", "at least +2.0 % better with confidence"},
		{"better, not by the threshold with confidence", func(p *Policy) { p.Strict, p.Threshold = true, 0.09 }, nil, Hold, CodeBetter, "gate", "not shown better"},
		{"too early", func(p *Policy) { p.MinSteps = 20001 }, nil, Hold, CodeMinSteps, "dev", "step 20000 of at least 20001"},
		{"guard halts", nil, func(e *Evidence) { e.Guard = halting() }, Reject, CodeGuard, "dev", "collapse guard halts on 1"},
		{"guard halts before the least steps", func(p *Policy) { p.MinSteps = 1 << 40 }, func(e *Evidence) { e.Guard = halting() }, Reject, CodeGuard, "dev", "last good generator"},
		{"no guard report", nil, func(e *Evidence) { e.Guard = guard.Report{} }, Hold, CodeMissing, "dev", "no report of the collapse guard"},
		{"no dev scores", nil, func(e *Evidence) { e.Dev = nil }, Hold, CodeMissing, "dev", "no scored items"},
		{"screened out", nil, func(e *Evidence) { e.Dev = split(500, rightBelow(0, 6), rightBelow(0, 6)) }, Hold, CodeScreen, "dev", "no look is spent"},
		{"no pool", nil, func(e *Evidence) { e.Pool = Pool{} }, Hold, CodeItems, "dev", "insufficient evidence"},
		{"99 items", nil, func(e *Evidence) { e.Pool = Pool{99, 99} }, Hold, CodeItems, "dev", "has 99 items, and at least 100"},
		{"29 clusters", nil, func(e *Evidence) { e.Pool = Pool{500, 29} }, Hold, CodeItems, "dev", "29 clusters"},
		{"pool smaller than it was said to be", nil, func(e *Evidence) { e.Gate = e.Gate[:99] }, Hold, CodeItems, "gate", "insufficient evidence"},
		{"fewer clusters than was said", nil, func(e *Evidence) { clustered(e.Gate, 20) }, Hold, CodeItems, "gate", "20 clusters"},
		{"clusters", nil, func(e *Evidence) { clustered(e.Gate, 50) }, Promote, CodeBetter, "gate", "better with confidence"},
		{"NaN on dev", nil, func(e *Evidence) { e.Dev = with(e.Dev, 7, scores(math.NaN(), 0.5, 0.5)) }, Hold, CodeMissing, "dev", "NaN"},
		{"NaN on the pool", nil, func(e *Evidence) { e.Gate = with(e.Gate, 7, scores(0.5, math.NaN(), 0.5)) }, Hold, CodeMissing, "gate", "NaN"},
		{"infinite", nil, func(e *Evidence) { e.Gate = with(e.Gate, 7, scores(math.Inf(1), 1, 1)) }, Hold, CodeMissing, "gate", "outside its range"},
		{"out of range", nil, func(e *Evidence) { e.Gate = with(e.Gate, 7, scores(0.5, 1, -0.5)) }, Hold, CodeMissing, "gate", "outside its range"},
		{"one side lacks a component", nil, func(e *Evidence) { e.Gate = with(e.Gate, 7, Components{Coherence: new(0.5), Domain: new(0.5)}) }, Hold, CodeMissing, "gate", "accuracy of the challenger is missing"},
		{"an item twice", nil, func(e *Evidence) { e.Gate = append(slices.Clone(e.Gate), e.Gate[0]) }, Hold, CodeMissing, "gate", "no name of its own"},
		{"at the ceiling", func(p *Policy) { p.Threshold = 0.4 }, nil, Ceiling, CodeCeiling, "dev", "1 is the most there is"},
		{"at the ceiling of the pool", nil, func(e *Evidence) { e.Gate = split(500, all(1), all(0.96)) }, Ceiling, CodeCeiling, "gate", "incumbent scores 0.9600 on gate"},
		{"below the threshold", nil, func(e *Evidence) { e.Gate = split(500, rightBelow(0, 5), rightBelow(0, 5)) }, Hold, CodeThreshold, "gate", "best estimate +0.0 % is below the threshold +5.0 %"},
		{"below the threshold, items short", nil, func(e *Evidence) { e.Gate = split(100, rightBelow(1, 6), rightBelow(0, 5)) }, Hold, CodeThreshold, "gate", "items would tell the gain from the threshold"},
		{"not shown", nil, func(e *Evidence) { e.Look = Look{K: 40, Promotions: 8} }, Hold, CodeBetter, "gate", "items would settle it at the next look"},
		{"worse", nil, func(e *Evidence) { e.Gate = split(500, rightBelow(0, 3), rightBelow(0, 5)) }, Reject, CodeWorse, "gate", "worse with confidence"},
		{"pass rate fell", nil, func(e *Evidence) { e.PassRate = Pair{Known(0.40), Known(0.45)} }, Reject, CodePassRate, "dev", "worse as a generator"},
		{"pass rate missing", nil, func(e *Evidence) { e.PassRate.Challenger = Reading{} }, Hold, CodeMissing, "dev", "pass rate of raw samples is missing"},
		{"pass rate not a number", nil, func(e *Evidence) { e.PassRate.Challenger = Known(math.NaN()) }, Hold, CodeMissing, "dev", "missing"},
		{"held-out loss rose", nil, func(e *Evidence) { e.BitsPerByte = Pair{Known(0.63), Known(0.61)} }, Reject, CodeBitsPerByte, "dev", "held-out bits per byte 0.6300"},
		{"entropy beyond the guard, no synthetic share", nil, func(e *Evidence) { e.Guard = lowEntropy(true) }, Reject, CodeEntropy, "dev", "worse as a generator"},
		{"entropy beyond limits of another domain", nil, func(e *Evidence) { e.Guard = lowEntropy(false) }, Promote, CodeBetter, "gate", "better"},
		{"report without entropy", nil, func(e *Evidence) { e.Guard.Findings = nil }, Hold, CodeMissing, "dev", "no 4-gram entropy"},
		{"a component fell", nil, func(e *Evidence) { e.Gate = split(500, traded(0.6), rightBelow(0, 4)) }, Reject, CodeCoherence, "gate", "coherence fell by 0.2000"},
		{"a component may have fallen", func(p *Policy) { p.Threshold = 0 }, func(e *Evidence) { e.Gate = wobbling() }, Hold, CodeAccuracy, "gate", "items would settle it"},
		{"floor not reached", func(p *Policy) { p.MinAccuracy = new(0.75) }, nil, Hold, CodeMinAccuracy, "gate", "below the domain's floor: accuracy 0.7000"},
		{"floors reached", func(p *Policy) { p.MinAccuracy, p.MinCoherence = new(0.7), new(0.7) }, nil, Promote, CodeBetter, "gate", "better"},
		{"floor of what cannot be measured", func(p *Policy) { p.MinCoherence = new(0.1) }, withoutCoherence, Hold, CodeMinCoherence, "gate", "coherence is unavailable"},
		{"incumbent at zero", nil, func(e *Evidence) { e.Gate = split(500, points(0.06), all(0)); e.Dev = e.Gate }, Promote, CodeBetter, "gate", "+0.0600 points"},
		{"incumbent at zero, too little", nil, func(e *Evidence) { e.Gate = split(500, points(0.04), all(0)); e.Dev = e.Gate }, Hold, CodeScreen, "dev", "+0.0400 points, threshold +0.0500 points"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, e := DefaultPolicy(), promotable()
			if c.policy != nil {
				c.policy(&p)
			}
			if c.change != nil {
				c.change(&e)
			}
			d, err := Decide(p, e)
			if err != nil {
				t.Fatal(err)
			}
			if d.Verdict != c.verdict || d.Reasons[0].Code != c.code || d.Split != c.split || !strings.Contains(d.Summary, c.says) {
				t.Errorf("%s for %s on %s: %q\nwant %s for %s on %s: …%s…", d.Verdict, d.Reasons[0].Code, d.Split, d.Summary, c.verdict, c.code, c.split, c.says)
			}
			if d.Halted != (c.code == CodeGuard) {
				t.Errorf("halted is %v", d.Halted)
			}
			if (d.Look != nil) != (c.split == "gate") || (d.Alpha != nil) != (c.split == "gate") {
				t.Errorf("on %s: look %v, alpha %v", d.Split, d.Look, d.Alpha)
			}
			if _, err := json.Marshal(d); err != nil {
				t.Errorf("decision has no JSON: %v", err)
			}
			open, early, err := NeedsGate(p, e)
			if err != nil || open != (c.split == "gate") {
				t.Errorf("NeedsGate is %v, %v", open, err)
			}
			if !open {
				if diff := cmp.Diff(d, early); diff != "" {
					t.Errorf("Decide differs from NeedsGate where no look is needed:\n%s", diff)
				}
			}
		})
	}
}

func halting() guard.Report {
	r := healthy()
	r.Level = guard.Halt
	r.Findings[0].Level, r.Findings[0].Reached, r.Findings[0].Text = guard.Halt, guard.Halt, "4-gram entropy fell"
	return r
}

func lowEntropy(calibrated bool) guard.Report {
	r := halting()
	r.Level, r.Calibrated, r.Findings[0].Level = guard.Warn, calibrated, guard.Warn
	return r
}

func with(items []Item, i int, challenger Components) []Item {
	items = slices.Clone(items)
	items[i].Challenger = challenger
	return items
}

func clustered(items []Item, n int) {
	for i := range items {
		items[i].Cluster = fmt.Sprint("c", i%n)
	}
}

func all(v float64) func(int) Components {
	return func(int) Components { return scores(v, v, v) }
}

// points makes a composite of v with a little noise by accuracy alone.
func points(v float64) func(int) Components {
	return func(digit int) Components { return scores(2.5*(v+0.01*float64(digit%2)-0.005), 0, 0) }
}

// traded is right twice as often as rightBelow(0, 4), and less coherent.
func traded(coherence float64) func(int) Components {
	return func(digit int) Components {
		c := rightBelow(0, 9)(digit)
		c.Coherence = &coherence
		return c
	}
}

// wobbling is 100 items on which coherence rises clearly and accuracy stays, with much chance in it.
func wobbling() []Item {
	items := split(100, func(d int) Components { c := rightBelow(2, 7)(d); c.Coherence = new(1.0); return c }, func(d int) Components { c := rightBelow(4, 9)(d); c.Coherence = new(0.4); return c })
	return items
}

func withoutCoherence(e *Evidence) {
	for _, items := range []*[]Item{&e.Dev, &e.Gate} {
		*items = slices.Clone(*items)
		for i := range *items {
			(*items)[i].Challenger.Coherence, (*items)[i].Incumbent.Coherence = nil, nil
		}
	}
}

func TestDecideSaysWhatIsUnavailable(t *testing.T) {
	t.Parallel()
	e := promotable()
	withoutCoherence(&e)
	e.PassRate.Incumbent = Unavailable("the incumbent is a served model of another format")
	e.BitsPerByte.Incumbent = Unavailable("the server gives no log-probabilities of given text")
	d, err := Decide(DefaultPolicy(), e)
	if err != nil {
		t.Fatal(err)
	}
	if d.Verdict != Promote || d.Challenger.Coherence != nil {
		t.Errorf("%s, coherence %v: %s", d.Verdict, d.Challenger.Coherence, d.Summary)
	}
	// The score is then over accuracy and domain alone: (0.4·0.7 + 0.3·1) / 0.7.
	if got, want := *d.Challenger.Score, 0.58/0.7; math.Abs(got-want) > 1e-12 {
		t.Errorf("score %v, want %v", got, want)
	}
	for _, want := range []string{"coherence is unavailable: the score is", "pass rate of raw samples is unavailable: the incumbent is a served", "held-out bits per byte is unavailable"} {
		if !strings.Contains(strings.Join(d.Texts(), "\n"), want) {
			t.Errorf("reasons do not say %q:\n%s", want, strings.Join(d.Texts(), "\n"))
		}
	}
	outcomes := map[Code]Outcome{}
	for _, r := range d.Rules {
		outcomes[r.Code] = r.Outcome
	}
	for _, code := range []Code{CodeCoherence, CodePassRate, CodeBitsPerByte} {
		if outcomes[code] != NotMeasured {
			t.Errorf("rule %s is %s", code, outcomes[code])
		}
	}
}

func TestDecideFigures(t *testing.T) {
	t.Parallel()
	d, err := Decide(DefaultPolicy(), promotable())
	if err != nil {
		t.Fatal(err)
	}
	// d = 0.4·(1, 0, −1): 0.3 of items gained, 0.1 lost; n = 500; z(1−α₁) with α₁ = 0.05·6/π²/2.
	mean, sd := 0.4*0.2, 0.4*math.Sqrt((0.4-0.04)*500/499)
	se := sd / math.Sqrt(500)
	want := map[string]float64{"gain": mean, "se": se, "lcb": mean - 2.1646*se, "alpha": 0.05 * 6 / math.Pi / math.Pi / 2, "relative": 0.08 / 0.74}
	got := map[string]float64{"gain": d.GainAbsolute, "se": *d.SE, "lcb": *d.LCB, "alpha": *d.Alpha, "relative": *d.GainRelative}
	for name := range want {
		if math.Abs(got[name]-want[name]) > 1e-5 {
			t.Errorf("%s is %v, want %v", name, got[name], want[name])
		}
	}
	if diff := cmp.Diff(&McNemar{ChallengerOnly: 150, IncumbentOnly: 50}, d.McNemar); diff != "" {
		t.Error(diff)
	}
	if d.N != 500 || d.Clusters != 500 || d.Method != Normal {
		t.Errorf("%d items in %d clusters by %s", d.N, d.Clusters, d.Method)
	}
	for _, r := range d.Rules {
		if r.Outcome != Pass {
			t.Errorf("rule %s: %s (%s)", r.Code, r.Outcome, r.Text)
		}
	}
}

func TestDecideManualWaits(t *testing.T) {
	t.Parallel()
	p := DefaultPolicy()
	p.Manual = true
	d, err := Decide(p, promotable())
	if err != nil || d.Verdict != Promote || !d.Pending {
		t.Errorf("%s, pending %v, %v", d.Verdict, d.Pending, err)
	}
	e := promotable()
	e.Dev = split(500, all(0.5), all(0.5))
	if d, err = Decide(p, e); err != nil || d.Pending {
		t.Errorf("a %s is pending: %v, %v", d.Verdict, d.Pending, err)
	}
}

func TestDecideDoesNotHangOnOrder(t *testing.T) {
	t.Parallel()
	for _, look := range []Look{{1, 0}, {30, 3}} {
		e := promotable()
		e.Look = look
		clustered(e.Gate, 100)
		a, err := Decide(DefaultPolicy(), e)
		if err != nil {
			t.Fatal(err)
		}
		e.Gate = slices.Clone(e.Gate)
		slices.Reverse(e.Gate)
		b, err := Decide(DefaultPolicy(), e)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(a, b); diff != "" {
			t.Errorf("look %v:\n%s", look, diff)
		}
	}
}

// Needed is an estimate that holds within 15 %: with that many items and the same pattern of answers the next look
// promotes, by the normal bound as in the deep tail.
func TestDecideNeededSettles(t *testing.T) {
	t.Parallel()
	for _, look := range []Look{{K: 9}, {K: 20, Promotions: 1}} {
		p, e := DefaultPolicy(), promotable()
		e.Gate, e.Pool, e.Look = e.Gate[:100], Pool{100, 100}, look
		d, err := Decide(p, e)
		if err != nil || d.Verdict != Hold || d.Needed == nil {
			t.Fatalf("look %v: %s, needed %v: %v, %v", look, d.Verdict, d.Needed, d.Summary, err)
		}
		for _, c := range []struct {
			scale float64
			want  Verdict
		}{{0.85, Hold}, {1.15, Promote}} {
			n := int(c.scale*float64(*d.Needed)/10) * 10
			e.Gate, e.Pool, e.Look = split(n, rightBelow(1, 8), rightBelow(0, 5)), Pool{n, n}, Look{look.K + 1, look.Promotions}
			got, err := Decide(p, e)
			if err != nil || got.Verdict != c.want {
				t.Errorf("look %v, %d of %d items: %s (%s), want %s", e.Look, n, *d.Needed, got.Verdict, got.Summary, c.want)
			}
		}
	}
}

func TestDecideErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		policy func(*Policy)
		change func(*Evidence)
		want   string
	}{
		{"weights", func(p *Policy) { p.Weights.Domain = 0.2 }, nil, "weights sum to"},
		{"weight not a number", func(p *Policy) { p.Weights.Accuracy = math.NaN() }, nil, "weight of accuracy is NaN"},
		{"threshold", func(p *Policy) { p.Threshold = -0.1 }, nil, "improvement threshold is -0.1"},
		{"kind", func(p *Policy) { p.Kind = "ratio" }, nil, `threshold kind is "ratio"`},
		{"alpha", func(p *Policy) { p.Alpha = 1 }, nil, "alpha is 1"},
		{"floor", func(p *Policy) { p.MinAccuracy = new(1.5) }, nil, "min_accuracy is 1.5"},
		{"look 0", nil, func(e *Evidence) { e.Look = Look{} }, "look 0 after 0 promotions"},
		{"more promotions than looks", nil, func(e *Evidence) { e.Look = Look{3, 3} }, "look 3 after 3 promotions"},
		{"pool not read", nil, func(e *Evidence) { e.Gate = nil }, "was not read"},
	} {
		p, e := DefaultPolicy(), promotable()
		if c.policy != nil {
			c.policy(&p)
		}
		if c.change != nil {
			c.change(&e)
		}
		if _, err := Decide(p, e); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}

func TestScreen(t *testing.T) {
	t.Parallel()
	p, dev := DefaultPolicy(), promotable().Dev
	if reached, gain := Screen(p, dev); !reached || math.Abs(gain-0.08) > 1e-12 {
		t.Errorf("a gain of 0.08 against 0.74: %v, %v", reached, gain)
	}
	p.Threshold = 0.11
	if reached, _ := Screen(p, dev); reached {
		t.Error("a gain of 10.8 % reaches 11 %")
	}
	if reached, gain := Screen(DefaultPolicy(), nil); reached || gain != 0 {
		t.Errorf("no items: %v, %v", reached, gain)
	}
}

func TestConverged(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		verdicts []Verdict
		patience uint64
		want     bool
	}{
		{nil, 1, false},
		{[]Verdict{Hold, Hold}, 3, false},
		{[]Verdict{Hold, Reject, Hold}, 3, true},
		{[]Verdict{Promote, Hold, Hold}, 3, false},
		{[]Verdict{Promote, Hold, Hold, Ceiling}, 3, true},
		{[]Verdict{Hold, Hold, Promote}, 1, false},
		{[]Verdict{Hold, Hold, Hold}, 0, false},
	} {
		if got := Converged(c.verdicts, c.patience); got != c.want {
			t.Errorf("Converged(%v, %d) is %v", c.verdicts, c.patience, got)
		}
	}
}
