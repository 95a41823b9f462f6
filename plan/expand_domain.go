package plan

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"jupiter/plan/addr"
	"jupiter/plan/config"
	"jupiter/plugins/schema"
)

// ground is what the cycles of one domain share: its benchmark and its real records.
type ground struct {
	benchmark, real *Action
	actions         []*Action // all that makes them
}

// ground expands what the domain gives: the sealed benchmark first, then the real records that it lets through.
func (x *expander) ground(ctx context.Context, c *config.Cycle) (*ground, error) {
	d := c.Domain
	key := fmt.Sprintf("%s|%s|%d", d.Addr, c.Evaluator.Addr, c.BenchmarkSamples)
	if g, ok := x.domains[key]; ok {
		*x.out = append(*x.out, g.actions...) // another cycle's too: whichever runs first makes them
		return g, nil
	}
	first := len(*x.out)
	suffix := func(a addr.Address) addr.Address {
		if len(x.domains) == 0 {
			return a
		}
		return a.Instance(c.Name)
	}

	b := x.add(&Action{Address: suffix(d.Addr.Child("benchmark")), Kind: Benchmark, Domain: d, Cycle: c, Stage: c.Evaluator, Judges: judges(c), Title: "sealed questions"})
	if err := b.stage("", c.Evaluator); err != nil {
		return nil, err
	}
	if err := b.verifier(d.Verifier); err != nil {
		return nil, err
	}
	b.core("benchmarks", text(d.Evaluation.Benchmarks), schema.Rerun, block{d.Evaluation.Attrs, d.Evaluation.Range})
	b.core("benchmark_samples", fmt.Sprint(c.BenchmarkSamples), schema.Rerun, block{c.Attrs, c.Range})
	for _, name := range sorted(d.Evaluation.Splits) {
		for i, path := range d.Evaluation.Splits[name] {
			digest, err := x.probe.File(path)
			if err != nil {
				return nil, fmt.Errorf("split %q of %s: %w", name, d.Addr, err)
			}
			b.named(fmt.Sprintf("split.%s.%d", name, i), digest, d.Evaluation.Attrs["split."+name])
		}
	}
	if p := d.Evaluation.CustomEvalFile; p != "" {
		digest, err := x.probe.File(p)
		if err != nil {
			return nil, fmt.Errorf("custom_eval_file of %s: %w", d.Addr, err)
		}
		b.named("custom", digest, d.Evaluation.Attrs["custom_eval_file"])
	}

	r := &Action{Address: suffix(d.Addr.Child("real")), Kind: Real, Domain: d, Cycle: c, Judges: judges(c), Title: "real records, less what the benchmark holds"}
	r.core("deny", strings.Join(d.Deny, ","), schema.Rerun, block{d.Attrs, d.Range}, "licenses.deny")
	if err := r.verifier(d.Verifier); err != nil {
		return nil, err
	}
	r.from("benchmark", b, "benchmark")
	for _, s := range d.Sources {
		a, err := x.source(ctx, d, s)
		if err != nil {
			return nil, err
		}
		r.from("records."+string(s.Addr), a, "records")
	}
	x.add(r)
	g := &ground{benchmark: b, real: r, actions: slices.Clone((*x.out)[first:])}
	x.domains[key] = g
	return g, nil
}

// domainText is what a plugin is told of the domain with each call.
func domainText(d *config.Domain) string {
	return text([]any{d.Name(), d.Language, d.Keywords, d.NegativeKeywords})
}

func (x *expander) source(ctx context.Context, d *config.Domain, s *config.Source) (*Action, error) {
	for _, a := range *x.out { // two cycles over one domain share its sources
		if a.Kind == Collect && a.Address == s.Addr {
			return a, nil
		}
	}
	a := &Action{Address: s.Addr, Kind: Collect, Source: s, Domain: d, Title: fmt.Sprintf("collect into bucket %q", s.Bucket)}
	a.core("bucket", s.Bucket, schema.Rerun, block{s.Attrs, s.Range})
	a.core("license", s.License, schema.Rerun, block{s.Attrs, s.Range})
	if err := a.body("", s.Type, s.Body, s.Range); err != nil {
		return nil, err
	}
	fp, err := x.probe.Source(ctx, s)
	if err != nil {
		return nil, &SourceError{Address: s.Addr, Collected: x.rec != nil && x.rec.Last(string(s.Addr)) != nil, Err: err}
	}
	a.part("fingerprint", fp)
	return x.add(a), nil
}
