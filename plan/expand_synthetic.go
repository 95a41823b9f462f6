package plan

import (
	"context"
	"fmt"
	"math"
	"sort"

	"jupiter/plan/config"
	"jupiter/plugins/schema"
)

// hasSynthetic says whether any template's bucket has a share.
func hasSynthetic(c *config.Cycle, ratio map[string]float64) bool {
	for _, t := range c.Domain.Templates {
		if ratio[t.Bucket] > 0 {
			return true
		}
	}
	return false
}

// synthetic expands generation, verification, filters and the pool.
func (x *expander) synthetic(ctx context.Context, c *config.Cycle, f Facts, g *ground, j *Judges, incumbent Input) (*Action, error) {
	runner, version := c.Generator, max(f.Current, 1)
	if _, described := x.fingerprint(f.Generator()); f.Current > 1 && !described {
		runner = c.Successor
	}
	if incumbent.From != nil && len(f.Generators) > 0 { // a served model that has changed
		version = uint64(len(f.Generators)) + 1
	}
	ratio := Ratio(c)
	counts := Samples(c.Domain.Templates, ratio, runner.Samples)
	verify := &Action{Address: x.at(c.Addr.Child("verify"), c), Kind: Verify, Cycle: c, Domain: c.Domain, Judges: j, Title: "every sample, against the verifier and the seal"}
	verify.core("verify", fmt.Sprint(c.Verify), schema.Rerun, block{c.Attrs, c.Range})
	if err := verify.verifier(c.Domain.Verifier); err != nil {
		return nil, err
	}
	for i, t := range c.Domain.Templates {
		if counts[i] == 0 {
			continue
		}
		a := &Action{Address: x.at(t.Addr, c), Kind: Generate, Cycle: c, Stage: runner, Template: t, Domain: c.Domain, Samples: counts[i],
			Title: fmt.Sprintf("%d samples by generator_v%d", counts[i], version)}
		if err := a.stage("", runner); err != nil {
			return nil, err
		}
		a.core("seed", fmt.Sprint(runner.Seed), schema.Rerun, block{runner.Attrs, runner.Range})
		a.core("samples", fmt.Sprint(counts[i]), schema.Advance, block{runner.Attrs, runner.Range})
		a.number("version", version)
		a.core("bucket", t.Bucket, schema.Rerun, block{t.Attrs, t.Range})
		a.core("prompt", t.Prompt, schema.Rerun, block{t.Attrs, t.Range})
		a.core("system_prompt", t.SystemPrompt, schema.Rerun, block{t.Attrs, t.Range})
		a.core("values", text(t.Values), schema.Rerun, block{t.Attrs, t.Range}, "values", "topics", "tasks")
		a.core("examples", text(t.Examples), schema.Rerun, block{t.Attrs, t.Range})
		if c.Regenerate == "cycle" {
			a.core("cycle", fmt.Sprint(f.Epoch()), schema.Rerun, block{c.Attrs, c.Range}, "regenerate")
		} else if at, ok := c.Attrs["regenerate"]; ok {
			a.gone("cycle", at.Range)
		} else {
			a.gone("cycle", c.Range)
		}
		a.Inputs = append(a.Inputs, incumbent)
		x.add(a)
		verify.from("samples."+string(t.Addr), a, "samples")
	}
	verify.from("benchmark", g.benchmark, "benchmark")
	x.add(verify)

	last := verify
	for _, s := range c.Filters {
		a := x.add(&Action{Address: x.at(s.Addr, c), Kind: Filter, Cycle: c, Stage: s, Domain: c.Domain, Title: "keep or drop"})
		if err := a.stage("", s); err != nil {
			return nil, err
		}
		a.from("records", last, "records")
		a.from("real", g.real, "records")
		last = a
	}

	pool := x.add(&Action{Address: x.at(c.Addr.Child("pool"), c), Kind: Pool, Cycle: c, Domain: c.Domain, Title: poolTitle(c)})
	pool.core("pool", c.Pool, schema.Rerun, block{c.Attrs, c.Range})
	pool.core("pool_cap", fmt.Sprint(c.PoolCap), schema.Rerun, block{c.Attrs, c.Range})
	pool.number("cycle", f.Epoch())
	pool.core("verify", fmt.Sprint(c.Verify), schema.Rerun, block{c.Attrs, c.Range})
	if w := f.Withdrawn(); len(w) > 0 {
		pool.part("withdrawn", text(w))
	}
	pool.from("records", last, "records")
	pool.from("real", g.real, "records")
	if c.Pool == "accumulate" {
		pool.input("previous", f.Pool(), fmt.Sprintf("epoch %d", f.Epoch()-1))
	}
	return pool, nil
}

func poolTitle(c *config.Cycle) string {
	if c.Pool == "replace" {
		return "this generation's samples alone"
	}
	return fmt.Sprintf("all generations' samples, at most %g × real", c.PoolCap)
}

// Samples shares n samples among the templates whose bucket has a share, by weight, with largest remainders, so that the
// counts sum to n and a tie goes to the earlier template.
func Samples(ts []*config.Template, ratio map[string]float64, n uint64) []uint64 {
	counts := make([]uint64, len(ts))
	var sum float64
	for _, t := range ts {
		if ratio[t.Bucket] > 0 {
			sum += t.Weight
		}
	}
	if sum == 0 {
		return counts
	}
	type rest struct {
		i    int
		frac float64
	}
	var rests []rest
	left := n
	for i, t := range ts {
		if ratio[t.Bucket] <= 0 {
			continue
		}
		exact := float64(n) * t.Weight / sum
		counts[i] = uint64(math.Floor(exact + 1e-9))
		left -= min(counts[i], left)
		rests = append(rests, rest{i, exact - float64(counts[i])})
	}
	sort.SliceStable(rests, func(a, b int) bool { return rests[a].frac > rests[b].frac })
	for i := 0; left > 0; i, left = i+1, left-1 {
		counts[rests[i%len(rests)].i]++
	}
	return counts
}
