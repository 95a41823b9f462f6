package plan

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	"jupiter/plan/config"
)

// CycleDigest names a cycle's configuration: all that a decision may depend on. A halt lasts until it changes.
func CycleDigest(c *config.Cycle) string {
	probe := &Action{Kind: Promote}
	for _, s := range append([]*config.Stage{c.Generator, c.Successor, c.Trainer, c.Exporter, c.Evaluator}, c.Filters...) {
		if err := probe.stage(string(s.Addr)+".", s); err != nil {
			panic(err) // a decoded configuration always has a canonical form
		}
		probe.part(string(s.Addr)+".core", text([]uint64{s.Samples, s.Seed, s.MaxSteps, s.SaveEverySteps}))
		if s.Import != nil {
			probe.part(string(s.Addr)+"."+s.Import.Attr, s.Import.Written)
		}
	}
	probe.part("cycle", fmt.Sprintf("%d %g %s %d %d %s %s %s %g %d %s %t %s %g %t %s", c.EvalEverySteps, c.ImprovementThreshold, c.ThresholdKind,
		c.MinStepsBeforeReplace, c.BenchmarkSamples, c.Promotion, c.Regenerate, c.Pool, c.PoolCap, c.MaxRepeats, text(Ratio(c)), c.Verify, text(c.Weights), c.Alpha, c.Strict, guardText(c.Guard)))
	if c.PinGenerator != 0 {
		probe.number("pin_generator", c.PinGenerator)
	}
	probe.domain(c.Domain)
	return actionID(probe.identity(nil))
}

// domain adds all that a domain says of its data and its judgement.
func (a *Action) domain(d *config.Domain) {
	a.part("domain", domainText(d))
	a.part("anchor", text(d.Anchor))
	a.part("deny", text(d.Deny))
	a.part("evaluation", text([]any{d.Evaluation.Benchmarks, d.Evaluation.Written, d.Evaluation.MinAccuracy, d.Evaluation.MinCoherence}))
	for _, s := range d.Sources {
		a.part(string(s.Addr), text([]string{s.Bucket, s.License}))
		if err := a.body(string(s.Addr)+".", s.Type, s.Body, s.Range); err != nil {
			panic(err) // a decoded configuration always has a canonical form
		}
	}
	for _, t := range d.Templates {
		a.part(string(t.Addr), text([]any{t.Bucket, t.Weight, t.Prompt, t.SystemPrompt, t.Values, t.Examples}))
	}
	if v := d.Verifier; v != nil {
		if err := a.stage(string(v.Addr)+".", v); err != nil {
			panic(err)
		}
	}
}

// guardText spells the guard's overrides; NaN has no JSON form.
func guardText(g map[string]config.Limit) string {
	var b strings.Builder
	for _, k := range sorted(g) {
		fmt.Fprintf(&b, "%s:%g/%g;", k, g[k].Warn, g[k].Halt)
	}
	return b.String()
}

// text is the canonical text of a value that encoding/json can write.
func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // only finite numbers, strings, maps and slices come here
	}
	return string(b)
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
