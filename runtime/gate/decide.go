package gate

import (
	"fmt"
	"math"

	"jupiter/runtime/guard"
)

// NeedsGate applies all that can be said without the gate pool. Where it returns true, the caller must make the look
// durable, then have both contestants answer the pool, then call Decide with Look and Gate filled in. Where it returns
// false the decision is final and no look is spent: the guard halts, a generator is pinned, the student is too young, evidence is missing, the
// pool is too small, no score could reach the threshold, the gain on dev does not reach it, or the student is worse as
// a generator by a figure that the pool does not change.
//
// An error means a policy that cannot be.
func NeedsGate(p Policy, e Evidence) (bool, Decision, error) {
	if err := p.Check(); err != nil {
		return false, Decision{}, fmt.Errorf("gate policy: %w", err)
	}
	c := &court{p: p, e: e}
	dev, open := c.hear()
	if open {
		c.d.Verdict, c.d.Summary = Hold, "the gate pool decides"
	}
	c.notes(dev)
	return open, c.d, nil
}

// Screen says whether the point gain on these items reaches the threshold, and what the gain is in points of score.
// It is what NeedsGate asks of dev; missing or invalid items do not pass.
func Screen(p Policy, dev []Item) (reached bool, gain float64) {
	s, fault := read(dev, p.Weights)
	if fault != nil {
		return false, 0
	}
	return p.screen(s)
}

func (p Policy) screen(s sheet) (reached bool, gain float64) {
	b := mean(s.incumbent)
	gain = mean(s.challenger) - b
	return gain >= p.margin(b), gain
}

// Decide decides one cycle. Where NeedsGate says that the pool is not needed the decision is the same as NeedsGate's.
//
// An error means a policy or a ledger that cannot be, or a pool that was needed and not read.
func Decide(p Policy, e Evidence) (Decision, error) {
	if err := p.Check(); err != nil {
		return Decision{}, fmt.Errorf("gate policy: %w", err)
	}
	c := &court{p: p, e: e}
	if dev, open := c.hear(); !open {
		c.notes(dev)
		return c.d, nil
	}
	spent, err := logAlpha(e.Look, p.Alpha)
	if err != nil {
		return Decision{}, fmt.Errorf("gate ledger: %w", err)
	}
	if len(e.Gate) == 0 {
		return Decision{}, fmt.Errorf("the gate pool is needed at look %d, and was not read", e.Look.K)
	}
	c.spent = spent
	c.d.Split, c.d.Look, c.d.Alpha = "gate", &e.Look, new(math.Exp(spent))
	pool, fault := read(e.Gate, p.Weights)
	if fault == nil {
		c.figures(pool)
	} else {
		c.clear(len(e.Gate))
	}
	names := make([]string, len(e.Gate))
	for i, it := range e.Gate {
		names[i] = it.Cluster
	}
	if c.complete(fault) && c.size(PoolOf(names)) && c.ceiling(pool) {
		c.weigh(pool)
	}
	c.notes(pool)
	return c.d, nil
}

// court builds one decision. Its methods that return bool apply a rule, and return whether to go on.
type court struct {
	p     Policy
	e     Evidence
	d     Decision
	spent float64 // ln α(k, m)
}

// hear applies the rules that need no look, and says whether the gate pool is needed.
func (c *court) hear() (dev sheet, open bool) {
	c.d.Step, c.d.Split = c.e.Step, "dev"
	dev, fault := read(c.e.Dev, c.p.Weights)
	if fault == nil {
		c.figures(dev)
	}
	return dev, c.guard() && c.held() && c.age() && c.complete(fault) && c.size(c.e.Pool) && c.ceiling(dev) && c.screen(dev) && c.generator()
}

func (c *court) rule(code Code, passed bool, value float64, op string, bound float64, text string) bool {
	r := Rule{Code: code, Outcome: Fail, Value: &value, Op: op, Bound: &bound, Text: text}
	if passed {
		r.Outcome = Pass
	}
	c.d.Rules = append(c.d.Rules, r)
	return passed
}

func (c *court) notMeasured(code Code, why string) {
	c.d.Rules = append(c.d.Rules, Rule{Code: code, Outcome: NotMeasured, Text: why})
	c.because(CodeUnavailable, why)
}

func (c *court) because(code Code, text string) {
	c.d.Reasons = append(c.d.Reasons, Reason{code, text})
}

// end gives the verdict, with the reason that carries it first.
func (c *court) end(v Verdict, code Code, text string) bool {
	c.d.Verdict, c.d.Summary = v, text
	c.d.Reasons = append([]Reason{{code, text}}, c.d.Reasons...)
	return false
}

func (c *court) figures(s sheet) {
	c.d.Challenger, c.d.Incumbent = s.scores(true), s.scores(false)
	c.d.N, c.d.GainAbsolute = len(s.items), *c.d.Challenger.Score-*c.d.Incumbent.Score
	c.d.GainRelative = nil
	if b := *c.d.Incumbent.Score; b > 0 {
		c.d.GainRelative = new(c.d.GainAbsolute / b)
	}
	names := make([]string, len(s.items))
	mc := McNemar{}
	for i, it := range s.items {
		names[i] = it.Cluster
		if it.Challenger.Accuracy == nil || it.Incumbent.Accuracy == nil {
			continue
		}
		switch right, was := *it.Challenger.Accuracy >= 0.5, *it.Incumbent.Accuracy >= 0.5; {
		case right && !was:
			mc.ChallengerOnly++
		case was && !right:
			mc.IncumbentOnly++
		}
	}
	c.d.Clusters = PoolOf(names).Clusters
	c.d.McNemar = nil
	if len(s.parts[0].index) > 0 {
		c.d.McNemar = &mc
	}
}

// clear takes the figures of dev out of a decision whose pool could not be read, so that none passes for the pool's.
func (c *court) clear(n int) {
	c.d.Challenger, c.d.Incumbent, c.d.McNemar = Scores{}, Scores{}, nil
	c.d.N, c.d.Clusters, c.d.GainAbsolute, c.d.GainRelative = n, 0, 0, nil
}

func (c *court) notes(s sheet) {
	c.d.Reasons = append(c.d.Reasons, s.notes...)
	for _, f := range c.e.Guard.At(guard.Warn) {
		c.because(CodeGuard, "guard warns: "+f.Text)
	}
	for _, f := range c.e.Guard.At(guard.Unavailable) {
		c.because(CodeUnavailable, "guard: "+f.Text)
	}
}

func (c *court) guard() bool {
	switch c.e.Guard.Level {
	case guard.OK, guard.Warn:
		c.d.Rules = append(c.d.Rules, Rule{Code: CodeGuard, Outcome: Pass, Text: "no measure of the collapse guard is at its halt value"})
		return true
	case guard.Halt:
		halts := c.e.Guard.At(guard.Halt)
		for _, f := range halts {
			c.d.Rules = append(c.d.Rules, Rule{Code: CodeGuard, Outcome: Fail, Value: f.Change, Bound: &f.Limit.Halt, Text: f.Text})
			c.because(CodeGuard, f.Text)
		}
		c.d.Halted = true
		return c.end(Reject, CodeGuard, fmt.Sprintf("the collapse guard halts on %d measure(s); the last good generator stays", len(halts)))
	}
	return c.end(Hold, CodeMissing, "there is no report of the collapse guard")
}

// held: while a generator is pinned nothing takes its place, so no look is spent.
func (c *court) held() bool {
	if c.p.Pinned == 0 {
		return true
	}
	text := fmt.Sprintf("generator_v%d is pinned", c.p.Pinned)
	c.d.Rules = append(c.d.Rules, Rule{Code: CodePinned, Outcome: Fail, Text: text})
	return c.end(Hold, CodePinned, text+"; dev only, no look is spent")
}

func (c *court) age() bool {
	text := fmt.Sprintf("step %d of at least %d", c.e.Step, c.p.MinSteps)
	if c.rule(CodeMinSteps, c.e.Step >= c.p.MinSteps, float64(c.e.Step), ">=", float64(c.p.MinSteps), text) {
		return true
	}
	return c.end(Hold, CodeMinSteps, "before min_steps_before_replace: "+text+"; dev only, no look is spent")
}

func (c *court) complete(fault *Reason) bool {
	if fault == nil {
		return true
	}
	return c.end(Hold, fault.Code, fmt.Sprintf("evidence is missing on %s: %s", c.d.Split, fault.Text))
}

func (c *court) size(p Pool) bool {
	enough := p.Items >= MinItems
	text := fmt.Sprintf("the gate pool has %d items, and at least %d are needed", p.Items, MinItems)
	value, bound := float64(p.Items), float64(MinItems)
	if enough && p.Clusters < p.Items && p.Clusters < MinClusters {
		enough = false
		text = fmt.Sprintf("the items of the gate pool fall into %d clusters, and at least %d are needed", p.Clusters, MinClusters)
		value, bound = float64(p.Clusters), MinClusters
	}
	if c.rule(CodeItems, enough, value, ">=", bound, text) {
		return true
	}
	if p.Items < MinItems {
		c.d.Needed = new(uint64(MinItems))
	}
	return c.end(Hold, CodeItems, "insufficient evidence: "+text)
}

// ceiling: every component is at most 1, and so is the composite.
func (c *court) ceiling(s sheet) bool {
	b := mean(s.incumbent)
	need := b + c.p.margin(b)
	text := fmt.Sprintf("a score of %.4f is needed, and 1 is the most there is", need)
	if c.rule(CodeCeiling, need <= 1, need, "<=", 1, text) {
		return true
	}
	return c.end(Ceiling, CodeCeiling, fmt.Sprintf("the incumbent scores %.4f on %s: %s", b, c.d.Split, text))
}

func (c *court) screen(s sheet) bool {
	reached, gain := c.p.screen(s)
	margin := c.p.margin(mean(s.incumbent))
	if c.rule(CodeScreen, reached, gain, ">=", margin, fmt.Sprintf("gain on dev %+.4f, threshold %+.4f", gain, margin)) {
		return true
	}
	return c.end(Hold, CodeScreen, fmt.Sprintf("not better enough on dev: best estimate %s, threshold %s; no look is spent", c.estimate(), c.threshold()))
}
