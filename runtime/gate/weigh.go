package gate

import (
	"fmt"
	"math"

	"jupiter/runtime/guard"
)

const (
	// componentSlack is how far a component's lower bound may lie below the incumbent, in points.
	componentSlack = 0.05
	// passRateShare and bitsShare bound how much worse a student may be as a generator, relative to the incumbent.
	passRateShare = 0.95
	bitsShare     = 1.02
)

// generator applies the conditions on the student as a generator. They need no item of the pool, so they come before
// it is opened.
func (c *court) generator() bool {
	return c.ratio(CodePassRate, "pass rate of raw samples", c.e.PassRate, passRateShare, false) &&
		c.ratio(CodeBitsPerByte, "held-out bits per byte", c.e.BitsPerByte, bitsShare, true) &&
		c.entropy()
}

// ratio bounds the challenger's figure by share × the incumbent's: from below, or from above.
func (c *court) ratio(code Code, name string, p Pair, share float64, atMost bool) bool {
	if p.Challenger.missing() || p.Incumbent.missing() {
		return c.end(Hold, CodeMissing, name+" is missing")
	}
	for _, r := range []Reading{p.Challenger, p.Incumbent} {
		if r.Value == nil {
			c.notMeasured(code, fmt.Sprintf("%s is unavailable: %s", name, r.Unavailable))
			return true
		}
	}
	value, bound, op := *p.Challenger.Value, share**p.Incumbent.Value, ">="
	passed := value >= bound
	if atMost {
		op, passed = "<=", value <= bound
	}
	text := fmt.Sprintf("%s %.4f, the incumbent's %.4f; %s %.4f is asked for", name, value, *p.Incumbent.Value, op, bound)
	if c.rule(code, passed, value, op, bound, text) {
		return true
	}
	return c.end(Reject, code, "worse as a generator: "+text)
}

// entropy must be within the guard also where the guard itself cannot halt for want of a synthetic share; limits that
// are not calibrated for the domain turn nobody away.
func (c *court) entropy() bool {
	f, ok := c.e.Guard.Find(guard.Entropy)
	if !ok {
		return c.end(Hold, CodeMissing, "the guard's report has no 4-gram entropy")
	}
	if f.Level == guard.Unavailable {
		c.notMeasured(CodeEntropy, f.Text)
		return true
	}
	if c.rule(CodeEntropy, f.Reached != guard.Halt || !c.e.Guard.Calibrated, *f.Change, "<", f.Limit.Halt, f.Text) {
		return true
	}
	return c.end(Reject, CodeEntropy, "worse as a generator: "+f.Text)
}

// weigh applies the rules that need the pool, and gives the verdict.
func (c *court) weigh(s sheet) {
	b := mean(s.incumbent)
	margin := c.p.margin(b)
	gain := s.gain(1, 0)
	plain := gain.lower(c.spent)
	c.d.SE, c.d.LCB, c.d.Method = &plain.se, &plain.lcb, plain.method
	if plain.method != Betting {
		c.d.Quantile = &plain.quantile
	}

	enough := c.rule(CodeThreshold, c.d.GainAbsolute >= margin, c.d.GainAbsolute, ">=", margin, fmt.Sprintf("gain on the gate pool %+.4f, threshold %+.4f", c.d.GainAbsolute, margin))
	tested := plain
	text := fmt.Sprintf("lower bound of the gain %+.4f (look %d after %d promotions, α %.2g, %s)", plain.lcb, c.e.Look.K, c.e.Look.Promotions, *c.d.Alpha, plain.method)
	if c.p.Strict {
		tested = s.gain(c.p.factor(b)).lower(c.spent)
		text = fmt.Sprintf("lower bound of the gain beyond the threshold %+.4f (strict; look %d after %d promotions, α %.2g, %s)", tested.lcb, c.e.Look.K, c.e.Look.Promotions, *c.d.Alpha, tested.method)
	}
	better := c.rule(CodeBetter, tested.lcb > 0, tested.lcb, ">", 0, text)
	slack := c.components(s)
	floors := c.floors()

	switch {
	case !enough || !better:
		c.short(gain, tested, enough, margin)
	case slack.failed:
		c.slack(slack)
	case floors != nil:
		c.end(Hold, floors.Code, floors.Text)
	default:
		c.d.Pending = c.p.Manual
		words := "better with confidence"
		if c.p.Strict {
			words = "at least " + c.threshold() + " better with confidence"
		}
		c.end(Promote, CodeBetter, fmt.Sprintf("%s; best estimate %s", words, c.estimate()))
	}
}

// gain returns the paired differences challenger − factor × incumbent − constant.
func (s sheet) gain(factor, constant float64) sample {
	out := sample{clusters: make([]string, len(s.items)), values: make([]float64, len(s.items))}
	for i, it := range s.items {
		out.clusters[i] = it.Cluster
		out.values[i] = s.challenger[i] - factor*s.incumbent[i] - constant
	}
	out.lo, out.hi = s.lowest-factor-constant, 1-factor*s.lowest-constant
	return out
}

// part returns the paired differences of one component.
func (s sheet) part(j int) sample {
	p := s.parts[j]
	out := sample{lo: floor(j) - 1, hi: 1 - floor(j)}
	for k, i := range p.index {
		out.clusters = append(out.clusters, s.items[i].Cluster)
		out.values = append(out.values, p.challenger[k]-p.incumbent[k])
	}
	return out
}

// slackness is what came of the components' bounds: the worst that failed.
type slackness struct {
	failed bool
	code   Code
	name   string
	bound  bound
}

func (c *court) components(s sheet) slackness {
	var worst slackness
	for j, name := range componentNames() {
		code := []Code{CodeAccuracy, CodeCoherence, CodeDomain}[j]
		x := s.part(j)
		if len(x.values) == 0 { // the notes say so
			c.d.Rules = append(c.d.Rules, Rule{Code: code, Outcome: NotMeasured, Text: name + " is unavailable"})
			continue
		}
		if len(x.groups()) < MinClusters {
			c.notMeasured(code, fmt.Sprintf("%s is there on %d items, too few to bound how much worse it got", name, len(x.values)))
			continue
		}
		b := x.lower(math.Log(c.p.Alpha))
		text := fmt.Sprintf("%s %+.4f, lower bound %+.4f (α %.2g)", name, b.mean, b.lcb, c.p.Alpha)
		if !c.rule(code, b.lcb > -componentSlack, b.lcb, ">", -componentSlack, text) && (!worst.failed || b.lcb < worst.bound.lcb) {
			worst = slackness{true, code, name, b}
		}
	}
	return worst
}

// floors applies the domain's min_accuracy and min_coherence, and returns the first that is not reached.
func (c *court) floors() *Reason {
	var first *Reason
	for _, f := range []struct {
		code  Code
		name  string
		floor *float64
		value *float64
	}{{CodeMinAccuracy, "accuracy", c.p.MinAccuracy, c.d.Challenger.Accuracy}, {CodeMinCoherence, "coherence", c.p.MinCoherence, c.d.Challenger.Coherence}} {
		if f.floor == nil {
			continue
		}
		var why string
		if f.value == nil {
			why = fmt.Sprintf("the domain asks for %s of %.3f, and %s is unavailable: take the floor out, or make it measurable", f.name, *f.floor, f.name)
			c.d.Rules = append(c.d.Rules, Rule{Code: f.code, Outcome: Fail, Op: ">=", Bound: f.floor, Text: why})
		} else {
			text := fmt.Sprintf("%s %.4f, the domain's floor %.4f", f.name, *f.value, *f.floor)
			if c.rule(f.code, *f.value >= *f.floor, *f.value, ">=", *f.floor, text) {
				continue
			}
			why = "better, but below the domain's floor: " + text
		}
		if first == nil {
			first = &Reason{f.code, why}
		}
	}
	return first
}

// short ends a look that did not show enough: as worse, or as unsettled with the number of items that would settle it.
func (c *court) short(gain sample, tested bound, enough bool, margin float64) {
	down := gain
	down.values = make([]float64, len(gain.values))
	for i, v := range gain.values {
		down.values[i] = -v
	}
	down.lo, down.hi = -gain.hi, -gain.lo
	if b := down.lower(math.Log(c.p.Alpha)); b.lcb > 0 {
		c.end(Reject, CodeWorse, fmt.Sprintf("worse with confidence: best estimate %s, upper bound of the gain %+.4f", c.estimate(), -b.lcb))
		return
	}
	next := c.nextAlpha()
	if !enough {
		text := fmt.Sprintf("best estimate %s is below the threshold %s", c.estimate(), c.threshold())
		under := tested
		under.mean, under.se = margin-c.d.GainAbsolute, *c.d.SE
		c.unsettled(CodeThreshold, text, under.needed(0, next), "would tell the gain from the threshold")
		return
	}
	text := fmt.Sprintf("not shown better: best estimate %s, lower bound %+.4f", c.estimate(), tested.lcb)
	c.unsettled(CodeBetter, text, tested.needed(0, next), "would settle it at the next look")
}

func (c *court) slack(s slackness) {
	if s.bound.mean <= -componentSlack {
		c.end(Reject, s.code, fmt.Sprintf("better as a whole, but %s fell by %.4f", s.name, -s.bound.mean))
		return
	}
	text := fmt.Sprintf("better as a whole, but %s may have fallen by more than %.2f: lower bound %+.4f", s.name, componentSlack, s.bound.lcb)
	c.unsettled(s.code, text, s.bound.needed(-componentSlack, math.Log(c.p.Alpha)), "would settle it")
}

func (c *court) unsettled(code Code, text string, items uint64, what string) {
	if items > 0 {
		c.d.Needed = &items
		text += fmt.Sprintf("; about %d items %s", items, what)
	}
	c.end(Hold, code, text)
}

// nextAlpha is ln α of the look after this one, which a HOLD leads to.
func (c *court) nextAlpha() float64 {
	l, err := logAlpha(Look{c.e.Look.K + 1, c.e.Look.Promotions}, c.p.Alpha)
	if err != nil {
		panic(err) // cannot happen: the look before it is valid
	}
	return l
}

func (c *court) estimate() string {
	if c.d.GainRelative == nil || c.p.Kind == Absolute {
		return fmt.Sprintf("%+.4f points", c.d.GainAbsolute)
	}
	return fmt.Sprintf("%+.1f %%", 100**c.d.GainRelative)
}

func (c *court) threshold() string {
	if c.d.GainRelative == nil || c.p.Kind == Absolute {
		return fmt.Sprintf("%+.4f points", c.p.Threshold)
	}
	return fmt.Sprintf("%+.1f %%", 100*c.p.Threshold)
}
