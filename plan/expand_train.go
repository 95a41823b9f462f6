package plan

import (
	"context"
	"encoding/json"
	"fmt"

	"jupiter/plan/addr"
	"jupiter/plan/config"
	"jupiter/plugins/schema"
	"jupiter/state"
)

// adopt is what makes a model version 1.
func (x *expander) adopt(c *config.Cycle) *Action {
	a := &Action{Address: x.at(c.Addr.Child("base"), c), Kind: Adopt, Cycle: c, Stage: c.Generator, Domain: c.Domain, Judges: judges(c), Title: "becomes generator_v1"}
	a.part("cycle", string(c.Addr)) // two cycles may begin with one model; each has a history of its own
	return a
}

// served expands the adoption of a served model that is another one than when it was recorded as the generator in use: it
// becomes the next version, and all that hangs on the generator follows. nil: it is what it was, or the generator in use is
// a model of ours.
func (x *expander) served(ctx context.Context, c *config.Cycle, f Facts) (*Action, error) {
	cur := f.Generator()
	was, ok := x.fingerprint(cur)
	if !ok || c.Generator.Model != "" || c.Generator.Import != nil {
		return nil, nil
	}
	now, err := x.probe.Model(ctx, c.Generator)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Generator.Addr, err)
	}
	if now == was {
		return nil, nil
	}
	a := x.adopt(c)
	a.Title = fmt.Sprintf("the model behind generator_v%d is another one now; becomes generator_v%d", cur.Version, len(f.Generators)+1)
	if err := a.stage("", c.Generator); err != nil {
		return nil, err
	}
	a.part("fingerprint", now)
	a.number("after", uint64(len(f.Generators)))
	return x.add(a), nil
}

// fingerprint is that of the model behind a generator that was recorded by its description alone; false: it is a model of
// ours.
func (x *expander) fingerprint(g *state.Generator) (string, bool) {
	if g == nil || x.rec == nil {
		return "", false
	}
	made := x.rec.Action(g.CreatedBy)
	if made == nil {
		return "", false
	}
	fp, ok := made.Parts["fingerprint"]
	return fp, ok
}

// base expands what makes version 1: the import of the model that the generator block names, the windows of the trainer
// that it names, or nothing where the plugin brings a model of its own.
func (x *expander) base(ctx context.Context, c *config.Cycle, g *ground, j *Judges) (*Action, error) {
	adopt := x.adopt(c)
	if c.Generator.Import != nil {
		imported, err := x.importing(c, c.Generator)
		if err != nil {
			return nil, err
		}
		adopt.from("model", imported, "model")
		return x.add(adopt), nil
	}
	if c.Generator.Model == "" {
		if err := adopt.stage("", c.Generator); err != nil {
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
	last, err := x.alone(ctx, c, t, g, j)
	if err != nil {
		return nil, err
	}
	adopt.from("model", last, "model")
	adopt.from("checkpoint", last, "checkpoint")
	adopt.on(x.beginning(t))
	return x.add(adopt), nil
}

// alone expands the windows of a trainer that stands alone, and gives the choice among the checkpoints of all of them.
func (x *expander) alone(ctx context.Context, c *config.Cycle, t *config.Stage, g *ground, j *Judges) (*Action, error) {
	at := x.at(t.Addr.Child("select"), c)
	for i := len(*x.out) - 1; i >= 0; i-- { // the base of a cycle may also be what its student starts from
		if a := (*x.out)[i]; a.Kind == Select && a.Stage == t && a.Address.Under(at) {
			return a, nil
		}
	}
	var before *Action
	if t.Start != nil {
		var err error
		if before, err = x.alone(ctx, c, t.Start, g, j); err != nil {
			return nil, err
		}
	}
	size := t.ScheduleSteps
	if size == 0 {
		size = t.MaxSteps
	}
	var imported, last *Action
	if t.Import != nil {
		var err error
		if imported, err = x.importing(c, t); err != nil {
			return nil, err
		}
	}
	begins := x.beginning(t)
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
		switch {
		case last != nil:
			train.from("start", last, "checkpoint")
		case before != nil:
			train.from("start", before, "checkpoint")
		case imported != nil:
			train.from("start", imported, "checkpoint")
		}
		train.on(begins)
		sel, err := x.selection(x.at(t.Addr.Child("select"), c).Index(n), c, t, train, g, j)
		if err != nil {
			return nil, err
		}
		sel.on(begins)
		if last != nil { // a stand-alone run keeps the best of all its windows
			sel.from("previous", last, "*")
		}
		last = sel
	}
	return last, nil
}

// RealBucket stands for all real buckets in the draws of a trainer that learns from real data alone.
const RealBucket = "real"

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
	from := block{c.Attrs, c.Range}
	if c.MixRatio == nil {
		from = block{c.Domain.Attrs, c.Domain.Range}
	}
	a.core("mix_ratio", string(shares), schema.Rerun, from)
	a.core("max_repeats", fmt.Sprint(c.MaxRepeats), schema.Rerun, block{c.Attrs, c.Range})
	a.core("records", fmt.Sprint(n), schema.Rerun, block{at: t.Range}) // by the trainer's own attributes
	a.number("window", w.Index+1)
	a.core("seed", fmt.Sprint(t.Seed), schema.Rerun, block{t.Attrs, t.Range})
	a.from("real", g.real, "records")
	if pool != nil {
		// The draws are held to the least real share alone: a share above the anchor's max is a warning.
		a.Parts = append(a.Parts, Part{Name: "anchor", Value: fmt.Sprint(c.Domain.Anchor.Min), Range: c.Domain.Attrs["anchor.min"].Range})
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

// train expands one window of optimizer steps.
func (x *expander) train(at addr.Address, c *config.Cycle, t *config.Stage, w Window, mix *Action, g *ground) (*Action, error) {
	w.Records = mix.Window.Records
	a := x.add(&Action{Address: at, Kind: Train, Cycle: c, Stage: t, Domain: c.Domain, Window: w,
		Title: fmt.Sprintf("steps %d → %d of %d", w.Start, w.End, w.Total)})
	if err := a.stage("", t); err != nil {
		return nil, err
	}
	a.core("seed", fmt.Sprint(t.Seed), schema.Rerun, block{t.Attrs, t.Range})
	a.core("save_every_steps", fmt.Sprint(t.SaveEverySteps), schema.Rerun, block{t.Attrs, t.Range})
	size := block{c.Attrs, c.Range}
	if t != c.Trainer {
		size = block{t.Attrs, t.Range}
	}
	a.core("window", fmt.Sprintf("%d-%d", w.Start, w.End), schema.Rerun, size, "eval_every_steps", "schedule_steps", "max_steps")
	a.from("dataset", mix, "dataset")
	a.from("real", g.real, "records")
	return a, nil
}

// selection expands the choice among a window's checkpoints.
func (x *expander) selection(at addr.Address, c *config.Cycle, t *config.Stage, train *Action, g *ground, j *Judges) (*Action, error) {
	a := x.add(&Action{Address: at, Kind: Select, Cycle: c, Stage: t, Domain: c.Domain, Judges: j, Window: train.Window, Title: "the last checkpoint, exported"})
	if t.Select != nil {
		a.Title = fmt.Sprintf("best checkpoint on %q, exported", t.Select.Split)
		a.core("select", fmt.Sprintf("%s/%d", t.Select.Split, t.Select.Every), schema.Rerun, block{t.Attrs, t.Range}, "select.every", "select.split")
		a.core("weights", text(j.Weights), schema.Rerun, block{c.Attrs, c.Range})
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
