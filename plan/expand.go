package plan

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"jupiter/plan/addr"
	"jupiter/plan/config"
	"jupiter/plugins/schema"
)

// Probe answers what the planner must know of plugins and of the outside world. Each answer is read once per plan.
type Probe interface {
	// Records is how many records a trainer reads for so many steps.
	Records(ctx context.Context, trainer *config.Stage, steps uint64) (uint64, error)
	// Source is a digest of what a source holds now.
	Source(ctx context.Context, s *config.Source) (string, error)
	// Model is a digest of the model that a generator without a model of ours would run now.
	Model(ctx context.Context, generator *config.Stage) (string, error)
	// File is the digest of a file's bytes.
	File(path string) (string, error)
}

// expander turns a configuration and the recorded facts into the actions of the next cycle.
type expander struct {
	probe   Probe
	single  bool // one cycle only: addresses need no suffix
	domains map[string]*ground
	out     *[]*Action
}

// ground is what the cycles of one domain share: its benchmark and its real records.
type ground struct {
	benchmark, real *Action
	actions         []*Action // all that makes them
}

func (x *expander) add(a *Action) *Action {
	*x.out = append(*x.out, a)
	return a
}

// at is the address of a stage's role in a cycle.
func (x *expander) at(base addr.Address, c *config.Cycle) addr.Address {
	if x.single {
		return base
	}
	return base.Instance(c.Name)
}

func judges(c *config.Cycle) *Judges {
	return &Judges{Runner: c.Successor, Exporter: c.Exporter, Evaluator: c.Evaluator, Verifier: c.Domain.Verifier, Weights: c.Weights}
}

// cycle expands the next turn of c.
func (x *expander) cycle(ctx context.Context, c *config.Cycle, f Facts) error {
	g, err := x.ground(ctx, c)
	if err != nil {
		return err
	}
	j := judges(c)

	incumbent := Input{Name: "generator"}
	if cur := f.Generator(); cur != nil {
		incumbent.Digest, incumbent.Label = cur.Digest, fmt.Sprintf("v%d", cur.Version)
	} else {
		base, err := x.base(ctx, c, g, j)
		if err != nil {
			return err
		}
		incumbent.From, incumbent.Output = base, "model"
	}

	ratio := Ratio(c)
	var pool *Action
	if hasSynthetic(c, ratio) {
		if pool, err = x.synthetic(ctx, c, f, g, j, incumbent); err != nil {
			return err
		}
	}

	w := Window{Index: f.Epoch() - 1, Start: f.Step(), End: f.Step() + c.EvalEverySteps, Total: c.Trainer.MaxSteps}
	mix, err := x.mix(ctx, x.at(c.Addr.Child("mix"), c), c, c.Trainer, ratio, w, g, pool)
	if err != nil {
		return err
	}
	train, err := x.train(x.at(c.Trainer.Addr, c), c, c.Trainer, w, mix, g)
	if err != nil {
		return err
	}
	train.input("start", f.Start(), fmt.Sprintf("step %d", w.Start))
	sel, err := x.selection(x.at(c.Trainer.Addr.Child("select"), c), c, c.Trainer, train, g, j)
	if err != nil {
		return err
	}

	measure := x.add(&Action{Address: x.at(c.Addr.Child("guard"), c), Kind: Measure, Cycle: c, Domain: c.Domain, Judges: j,
		Title: fmt.Sprintf("diversity and held-out loss over %d raw samples", GuardSamples)})
	measure.number("samples", GuardSamples)
	if err := measure.judge(j); err != nil {
		return err
	}
	measure.from("model", sel, "model")
	measure.from("benchmark", g.benchmark, "benchmark")

	evaluate := x.add(&Action{Address: x.at(c.Evaluator.Addr, c), Kind: Evaluate, Cycle: c, Stage: c.Evaluator, Domain: c.Domain, Judges: j,
		Title: "candidate against " + versionLabel(f)})
	evaluate.part("split", "dev")
	if err := evaluate.judge(j); err != nil {
		return err
	}
	evaluate.from("challenger", sel, "model")
	incumbent.Name = "incumbent"
	evaluate.Inputs = append(evaluate.Inputs, incumbent)
	evaluate.from("benchmark", g.benchmark, "benchmark")

	promote := x.add(&Action{Address: x.at(c.Addr.Child("promotion"), c), Kind: Promote, Cycle: c, Domain: c.Domain, Judges: j, Window: w, Title: promotionTitle(c, w)})
	promote.from("evaluation", evaluate, "items")
	promote.from("guard", measure, "metrics")
	promote.from("select", sel, "*")
	return nil
}

// GuardSamples is how many raw samples the guard's measures are taken over; every figure in its table is.
const GuardSamples = 1000

func versionLabel(f Facts) string {
	if f.Current == 0 {
		return "generator_v1"
	}
	return fmt.Sprintf("generator_v%d", f.Current)
}

func promotionTitle(c *config.Cycle, w Window) string {
	kind := "relative"
	if c.ThresholdKind == "absolute" {
		kind = "points"
	}
	t := fmt.Sprintf("if better with confidence and by ≥ %g %% (%s) at best estimate", c.ImprovementThreshold*100, kind)
	if w.End < c.MinStepsBeforeReplace {
		t = fmt.Sprintf("no: step %d is before min_steps_before_replace = %d", w.End, c.MinStepsBeforeReplace)
	}
	if c.Promotion == "manual" {
		t += "; then approve or reject"
	}
	return t
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
	if err := b.stage("", c.Evaluator.Type, c.Evaluator.Body); err != nil {
		return nil, err
	}
	if err := b.verifier(d.Verifier); err != nil {
		return nil, err
	}
	b.core("benchmarks", text(d.Evaluation.Benchmarks), schema.Rerun, d.Evaluation.Attrs)
	b.core("benchmark_samples", fmt.Sprint(c.BenchmarkSamples), schema.Rerun, c.Attrs)
	for _, name := range sorted(d.Evaluation.Splits) {
		for i, path := range d.Evaluation.Splits[name] {
			digest, err := x.probe.File(path)
			if err != nil {
				return nil, fmt.Errorf("split %q of %s: %w", name, d.Addr, err)
			}
			b.input(fmt.Sprintf("split.%s.%d", name, i), digest, "")
		}
	}
	if p := d.Evaluation.CustomEvalFile; p != "" {
		digest, err := x.probe.File(p)
		if err != nil {
			return nil, fmt.Errorf("custom_eval_file of %s: %w", d.Addr, err)
		}
		b.input("custom", digest, "")
	}

	r := &Action{Address: suffix(d.Addr.Child("real")), Kind: Real, Domain: d, Cycle: c, Judges: judges(c), Title: "real records, less what the benchmark holds"}
	r.part("deny", strings.Join(d.Deny, ","))
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
	a.core("bucket", s.Bucket, schema.Rerun, s.Attrs)
	a.core("license", s.License, schema.Rerun, s.Attrs)
	a.part("domain", domainText(d))
	if err := a.stage("", s.Type, s.Body); err != nil {
		return nil, err
	}
	fp, err := x.probe.Source(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Addr, err)
	}
	a.part("fingerprint", fp)
	return x.add(a), nil
}

// base expands what makes version 1: the windows of the trainer that the generator block names, or nothing where the
// plugin brings a model of its own.
func (x *expander) base(ctx context.Context, c *config.Cycle, g *ground, j *Judges) (*Action, error) {
	adopt := &Action{Address: x.at(c.Addr.Child("base"), c), Kind: Adopt, Cycle: c, Stage: c.Generator, Domain: c.Domain, Judges: j, Title: "becomes generator_v1"}
	adopt.part("cycle", string(c.Addr)) // two cycles may begin with one model; each has a history of its own
	if c.Generator.Model == "" {
		if err := adopt.stage("", c.Generator.Type, c.Generator.Body); err != nil {
			return nil, err
		}
		fp, err := x.probe.Model(ctx, c.Generator)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Generator.Addr, err)
		}
		adopt.part("fingerprint", fp)
		return x.add(adopt), nil
	}
	t := c.Base
	if t == nil {
		return nil, fmt.Errorf("%s: model names %s, which is not a trainer of this configuration", c.Generator.Addr, c.Generator.Model)
	}
	size := t.ScheduleSteps
	if size == 0 {
		size = t.MaxSteps
	}
	var last *Action
	for start := uint64(0); start < t.MaxSteps; start += size {
		w := Window{Index: start / size, Start: start, End: min(start+size, t.MaxSteps), Total: t.MaxSteps}
		n := int(w.Index) + 1
		mix, err := x.mix(ctx, x.at(t.Addr.Child("mix"), c).Index(n), c, t, map[string]float64{RealBucket: 1}, w, g, nil)
		if err != nil {
			return nil, err
		}
		train, err := x.train(x.at(t.Addr, c).Index(n), c, t, w, mix, g)
		if err != nil {
			return nil, err
		}
		if last != nil {
			train.from("start", last, "checkpoint")
		}
		sel, err := x.selection(x.at(t.Addr.Child("select"), c).Index(n), c, t, train, g, j)
		if err != nil {
			return nil, err
		}
		if last != nil { // a stand-alone run keeps the best of all its windows
			sel.from("previous", last, "*")
		}
		last = sel
	}
	adopt.from("model", last, "model")
	adopt.from("checkpoint", last, "checkpoint")
	return x.add(adopt), nil
}

// RealBucket stands for all real buckets in the draws of a trainer that learns from real data alone.
const RealBucket = "real"

// Ratio is the cycle's mix by bucket: its own, else the domain's.
func Ratio(c *config.Cycle) map[string]float64 {
	if c.MixRatio != nil {
		return c.MixRatio
	}
	return c.Domain.MixRatio
}

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
	runner := c.Generator
	if f.Current > 1 {
		runner = c.Successor
	}
	ratio := Ratio(c)
	counts := Samples(c.Domain.Templates, ratio, runner.Samples)
	verify := &Action{Address: x.at(c.Addr.Child("verify"), c), Kind: Verify, Cycle: c, Domain: c.Domain, Judges: j, Title: "every sample, against the verifier and the seal"}
	verify.core("verify", fmt.Sprint(c.Verify), schema.Rerun, c.Attrs)
	if err := verify.verifier(c.Domain.Verifier); err != nil {
		return nil, err
	}
	for i, t := range c.Domain.Templates {
		if counts[i] == 0 {
			continue
		}
		a := &Action{Address: x.at(t.Addr, c), Kind: Generate, Cycle: c, Stage: runner, Template: t, Domain: c.Domain, Samples: counts[i],
			Title: fmt.Sprintf("%d samples by %s", counts[i], versionLabel(f))}
		if err := a.stage("", runner.Type, runner.Body); err != nil {
			return nil, err
		}
		a.core("seed", fmt.Sprint(runner.Seed), schema.Rerun, runner.Attrs)
		a.core("samples", fmt.Sprint(counts[i]), schema.Advance, runner.Attrs)
		a.number("version", max(f.Current, 1))
		a.part("domain", domainText(c.Domain))
		a.core("bucket", t.Bucket, schema.Rerun, t.Attrs)
		a.core("prompt", t.Prompt, schema.Rerun, t.Attrs)
		a.core("system_prompt", t.SystemPrompt, schema.Rerun, t.Attrs)
		a.core("values", text(t.Values), schema.Rerun, t.Attrs)
		a.core("examples", text(t.Examples), schema.Rerun, t.Attrs)
		if c.Regenerate == "cycle" {
			a.number("cycle", f.Epoch())
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
		if err := a.stage("", s.Type, s.Body); err != nil {
			return nil, err
		}
		a.from("records", last, "records")
		a.from("real", g.real, "records")
		last = a
	}

	pool := x.add(&Action{Address: x.at(c.Addr.Child("pool"), c), Kind: Pool, Cycle: c, Domain: c.Domain, Title: poolTitle(c)})
	pool.core("pool", c.Pool, schema.Rerun, c.Attrs)
	pool.core("pool_cap", fmt.Sprint(c.PoolCap), schema.Rerun, c.Attrs)
	pool.number("cycle", f.Epoch())
	pool.core("verify", fmt.Sprint(c.Verify), schema.Rerun, c.Attrs)
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

// mix expands the draws of one window.
func (x *expander) mix(ctx context.Context, at addr.Address, c *config.Cycle, t *config.Stage, ratio map[string]float64, w Window, g *ground, pool *Action) (*Action, error) {
	n, err := x.probe.Records(ctx, t, w.End-w.Start)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.Addr, err)
	}
	w.Records = n
	a := x.add(&Action{Address: at, Kind: Mix, Cycle: c, Domain: c.Domain, Stage: t, Window: w, Title: mixTitle(c, ratio, pool != nil)})
	shares, err := json.Marshal(ratio)
	if err != nil {
		return nil, err
	}
	a.core("mix_ratio", string(shares), schema.Rerun, c.Attrs)
	a.part("anchor", text(c.Domain.Anchor))
	a.core("max_repeats", fmt.Sprint(c.MaxRepeats), schema.Rerun, c.Attrs)
	a.number("records", n)
	a.number("window", w.Index+1)
	a.core("seed", fmt.Sprint(t.Seed), schema.Rerun, t.Attrs)
	a.from("real", g.real, "records")
	if pool != nil {
		a.from("pool", pool, "records")
	}
	return a, nil
}

func mixTitle(c *config.Cycle, ratio map[string]float64, synthetic bool) string {
	if !synthetic {
		return "real 100 %"
	}
	real := RealShare(c.Domain, ratio)
	return fmt.Sprintf("real %.4g %%, synthetic %.4g %% (anchor %g–%g %%)", 100*real, 100*(1-real), 100*c.Domain.Anchor.Min, 100*c.Domain.Anchor.Max)
}

// RealShare sums the shares of the buckets that sources fill.
func RealShare(d *config.Domain, ratio map[string]float64) float64 {
	seen := map[string]bool{}
	var share float64
	for _, s := range d.Sources {
		if !seen[s.Bucket] {
			seen[s.Bucket] = true
			share += ratio[s.Bucket]
		}
	}
	return share
}

// train expands one window of optimizer steps.
func (x *expander) train(at addr.Address, c *config.Cycle, t *config.Stage, w Window, mix *Action, g *ground) (*Action, error) {
	w.Records = mix.Window.Records
	a := x.add(&Action{Address: at, Kind: Train, Cycle: c, Stage: t, Domain: c.Domain, Window: w,
		Title: fmt.Sprintf("steps %d → %d of %d", w.Start, w.End, w.Total)})
	if err := a.stage("", t.Type, t.Body); err != nil {
		return nil, err
	}
	a.core("seed", fmt.Sprint(t.Seed), schema.Rerun, t.Attrs)
	a.core("save_every_steps", fmt.Sprint(t.SaveEverySteps), schema.Rerun, t.Attrs)
	a.part("window", fmt.Sprintf("%d-%d", w.Start, w.End))
	a.from("dataset", mix, "dataset")
	a.from("real", g.real, "records")
	return a, nil
}

// selection expands the choice among a window's checkpoints.
func (x *expander) selection(at addr.Address, c *config.Cycle, t *config.Stage, train *Action, g *ground, j *Judges) (*Action, error) {
	a := x.add(&Action{Address: at, Kind: Select, Cycle: c, Stage: t, Domain: c.Domain, Judges: j, Window: train.Window, Title: "the last checkpoint, exported"})
	if t.Select != nil {
		a.Title = fmt.Sprintf("best checkpoint on %q, exported", t.Select.Split)
		a.core("select", fmt.Sprintf("%s/%d", t.Select.Split, t.Select.Every), schema.Rerun, t.Attrs)
		a.part("weights", text(j.Weights))
		if err := a.judge(j); err != nil {
			return nil, err
		}
		a.from("benchmark", g.benchmark, "benchmark")
	} else if err := a.exporter(j.Exporter); err != nil {
		return nil, err
	}
	a.from("checkpoints", train, "*")
	return a, nil
}

// judge adds what a model's scores depend on besides the model and the questions.
func (a *Action) judge(j *Judges) error {
	if err := a.exporter(j.Exporter); err != nil {
		return err
	}
	if err := a.stage("runner.", j.Runner.Type, j.Runner.Body); err != nil {
		return err
	}
	if err := a.stage("evaluator.", j.Evaluator.Type, j.Evaluator.Body); err != nil {
		return err
	}
	return a.verifier(j.Verifier)
}

func (a *Action) exporter(s *config.Stage) error { return a.stage("exporter.", s.Type, s.Body) }

func (a *Action) verifier(s *config.Stage) error {
	if s == nil {
		a.part("verifier.type", "none")
		return nil
	}
	return a.stage("verifier.", s.Type, s.Body)
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

// CycleDigest names a cycle's configuration: all that a decision may depend on. A halt lasts until it changes.
func CycleDigest(c *config.Cycle) string {
	probe := &Action{Kind: Promote}
	for _, s := range append([]*config.Stage{c.Generator, c.Successor, c.Trainer, c.Exporter, c.Evaluator}, c.Filters...) {
		if err := probe.stage(string(s.Addr)+".", s.Type, s.Body); err != nil {
			panic(err) // a decoded configuration always has a canonical form
		}
		probe.part(string(s.Addr)+".core", text([]uint64{s.Samples, s.Seed, s.MaxSteps, s.SaveEverySteps}))
	}
	probe.part("cycle", fmt.Sprintf("%d %g %s %d %d %s %s %s %g %d %s %t %s %g %t %s", c.EvalEverySteps, c.ImprovementThreshold, c.ThresholdKind,
		c.MinStepsBeforeReplace, c.BenchmarkSamples, c.Promotion, c.Regenerate, c.Pool, c.PoolCap, c.MaxRepeats, text(Ratio(c)), c.Verify, text(c.Weights), c.Alpha, c.Strict, guardText(c.Guard)))
	probe.domain(c.Domain)
	return probe.Identify(nil).ID
}

// domain adds all that a domain says of its data and its judgement.
func (a *Action) domain(d *config.Domain) {
	a.part("domain", domainText(d))
	a.part("anchor", text(d.Anchor))
	a.part("deny", text(d.Deny))
	a.part("evaluation", text([]any{d.Evaluation.Benchmarks, d.Evaluation.Written, d.Evaluation.MinAccuracy, d.Evaluation.MinCoherence}))
	for _, s := range d.Sources {
		a.part(string(s.Addr), text([]string{s.Bucket, s.License}))
		if err := a.stage(string(s.Addr)+".", s.Type, s.Body); err != nil {
			panic(err) // a decoded configuration always has a canonical form
		}
	}
	for _, t := range d.Templates {
		a.part(string(t.Addr), text([]any{t.Bucket, t.Weight, t.Prompt, t.SystemPrompt, t.Values, t.Examples}))
	}
	if v := d.Verifier; v != nil {
		if err := a.stage(string(v.Addr)+".", v.Type, v.Body); err != nil {
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
