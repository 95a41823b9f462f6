package plan

import (
	"context"
	"fmt"

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
	// File is the digest of a file's bytes, or of the files of a directory.
	File(path string) (string, error)
}

// expander turns a configuration and the recorded facts into the actions of the next cycle.
type expander struct {
	probe   Probe
	rec     Recorded // nil: nothing is looked up in the past
	single  bool     // one cycle only: addresses need no suffix
	domains map[string]*ground
	options Options
	out     *[]*Action
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
	return &Judges{Runner: c.Successor, Exporter: c.Exporter, Evaluator: c.Evaluator, Verifier: c.Domain.Verifier, Weights: c.Weights, Samples: c.GuardSamples}
}

// cycle expands the next turn of c.
func (x *expander) cycle(ctx context.Context, c *config.Cycle, f Facts) error {
	g, err := x.ground(ctx, c)
	if err != nil {
		return err
	}
	j := judges(c)

	incumbent := Input{Name: "generator"}
	changed, err := x.served(ctx, c, f)
	if err != nil {
		return err
	}
	if changed != nil {
		incumbent.From, incumbent.Output = changed, "model"
	} else if cur := f.Generator(); cur != nil {
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
	var from *Action // what makes the checkpoint that the first window starts from; nil: that is recorded, or there is none
	switch {
	case f.Start() != "":
	case c.Trainer.Start != nil:
		from, err = x.alone(ctx, c, c.Trainer.Start, g, j)
	case c.Trainer.Import != nil:
		from, err = x.importing(c, c.Trainer)
	}
	if err != nil {
		return err
	}
	train, err := x.train(x.at(c.Trainer.Addr, c), c, c.Trainer, w, mix, g)
	if err != nil {
		return err
	}
	var begins *Input
	if from != nil {
		begins = x.beginning(c.Trainer)
		train.from("start", from, "checkpoint")
		train.Inputs[len(train.Inputs)-1].Range = c.Trainer.Attrs["start"].Range
	} else {
		train.input("start", f.Start(), fmt.Sprintf("step %d", w.Start))
		if at := f.Base(); at != "" {
			begins = &Input{Name: "base", Digest: at, Label: "imported"}
		}
	}
	train.on(begins)
	sel, err := x.selection(x.at(c.Trainer.Addr.Child("select"), c), c, c.Trainer, train, g, j)
	if err != nil {
		return err
	}
	sel.on(begins)

	measure := x.add(&Action{Address: x.at(c.Addr.Child("guard"), c), Kind: Measure, Cycle: c, Domain: c.Domain, Judges: j,
		Title: fmt.Sprintf("diversity and held-out loss over %d raw samples", j.Samples)})
	measure.core("samples", fmt.Sprint(j.Samples), schema.Rerun, block{c.Attrs, c.Range}, "guard_samples")
	if err := measure.judge(j); err != nil {
		return err
	}
	measure.from("model", sel, "model")
	measure.from("benchmark", g.benchmark, "benchmark")

	evaluate := x.add(&Action{Address: x.at(c.Evaluator.Addr, c), Kind: Evaluate, Cycle: c, Stage: c.Evaluator, Domain: c.Domain, Judges: j,
		Title: "candidate against " + versionLabel(f, changed)})
	evaluate.part("split", "dev")
	if err := evaluate.judge(j); err != nil {
		return err
	}
	evaluate.from("challenger", sel, "model")
	incumbent.Name = "incumbent"
	evaluate.Inputs = append(evaluate.Inputs, incumbent)
	evaluate.from("benchmark", g.benchmark, "benchmark")

	promote := x.add(&Action{Address: x.at(c.Addr.Child("promotion"), c), Kind: Promote, Cycle: c, Domain: c.Domain, Judges: j, Window: w, Title: promotionTitle(c, f, w)})
	promote.from("evaluation", evaluate, "items")
	promote.from("guard", measure, "metrics")
	promote.from("select", sel, "*")
	if err := x.refs(c, incumbent, g.real); err != nil {
		return err
	}
	return x.order()
}

// versionLabel names the generator in use; changed is the adoption of a served one that is another model now.
func versionLabel(f Facts, changed *Action) string {
	if changed != nil {
		return fmt.Sprintf("generator_v%d", len(f.Generators)+1)
	}
	if f.Current == 0 {
		return "generator_v1"
	}
	return fmt.Sprintf("generator_v%d", f.Current)
}

func promotionTitle(c *config.Cycle, f Facts, w Window) string {
	if v := f.Pinned(c); v != 0 {
		return fmt.Sprintf("no: generator_v%d is pinned; the scores are recorded", v)
	}
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

// Ratio is the cycle's mix by bucket: its own, else the domain's.
func Ratio(c *config.Cycle) map[string]float64 {
	if c.MixRatio != nil {
		return c.MixRatio
	}
	return c.Domain.MixRatio
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

// judge adds what a model's scores depend on besides the model and the questions.
func (a *Action) judge(j *Judges) error {
	if err := a.exporter(j.Exporter); err != nil {
		return err
	}
	if err := a.stage("runner.", j.Runner); err != nil {
		return err
	}
	if err := a.stage("evaluator.", j.Evaluator); err != nil {
		return err
	}
	return a.verifier(j.Verifier)
}

func (a *Action) exporter(s *config.Stage) error { return a.stage("exporter.", s) }

func (a *Action) verifier(s *config.Stage) error {
	if s == nil {
		a.core("verifier.type", "none", schema.Rerun, block{a.Domain.Attrs, a.Domain.Range}, "verifier")
		return nil
	}
	return a.stage("verifier.", s)
}
