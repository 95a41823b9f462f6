package runtime

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"jupiter/plan"
	"jupiter/plan/addr"
	"jupiter/plan/config"
	"jupiter/plan/forecast"
)

// forecaster forecasts one plan.
type forecaster struct {
	r       *Runner
	samples []forecast.Sample
	notes   []string

	calibrated bool // the guard's limits are known in this process: of the turns after the first
}

// forecast adds to a plan what its changes and its envelope will take, and the budgets that bound it.
func (r *Runner) forecast(ctx context.Context, p *plan.Plan, rec *recorded, t *trial) error {
	if p.Empty() {
		return nil
	}
	samples, err := r.samples(rec)
	if err != nil {
		return err
	}
	x := &forecaster{r: r, samples: append(slices.Clone(t.samples), samples...), notes: t.notes}
	changes := map[addr.Address]*plan.Change{}
	for i := range p.Changes {
		changes[p.Changes[i].Address] = &p.Changes[i]
	}
	var all []forecast.Part
	var later []forecast.Later
	var due uint64
	for i, cp := range p.Cycles {
		if cp.Terminal != plan.Running {
			continue
		}
		due++
		c, f := r.Config.Cycles[i], rec.Facts(r.Config.Cycles[i].Addr)
		var l forecast.Later
		if !p.Options.Partial() { // else it is done once
			if l, err = x.later(ctx, c, cp, f); err != nil {
				return err
			}
		}
		later = append(later, l)
		setModels(cp.Actions, c, f.Current)
		turn, err := x.turn(ctx, c, cp, f, changes)
		if err != nil {
			return err
		}
		all = append(all, turn...)
		cp.Notes = append(cp.Notes, x.tooLarge(cp.Actions, changes, forecast.Sum(turn))...)
		if !c.Budget.IsZero() {
			p.Envelope.Budgets = append(p.Envelope.Budgets, plan.Budget{Cycle: c.Name, Budget: c.Budget})
			cp.Notes = append(cp.Notes, tooSmall(c, forecast.Sum(turn), l)...)
		}
	}
	if due == 0 {
		return nil // records alone: nothing runs
	}
	if p.Options.Partial() {
		due = 1
	}
	p.Forecast = forecast.NewPlan(forecast.Sum(all), due, later)
	p.Forecast.Samples, p.Forecast.Probed, p.Forecast.Notes = len(samples), len(t.samples) > 0, x.notes
	return nil
}

// turn forecasts the changes of one cycle, each of them once where cycles share some.
func (x *forecaster) turn(ctx context.Context, c *config.Cycle, cp *plan.CyclePlan, f plan.Facts, changes map[addr.Address]*plan.Change) (parts []forecast.Part, err error) {
	for _, a := range cp.Actions {
		ch := changes[a.Address]
		if ch == nil || ch.Op == plan.NoOp || ch.Forecast != nil {
			continue
		}
		t, err := x.task(ctx, c, a, f.Current)
		if err != nil {
			return nil, err
		}
		t.May = t.May || ch.Unknown
		for i := range t.Works {
			t.Works[i] = t.Works[i].Scaled(left(a, ch))
		}
		mine := x.parts(a, t)
		ch.Forecast = &mine[0].Usage
		parts = append(parts, mine...)
	}
	return parts, nil
}

// parts forecasts an action. Where a decision's own work was never seen on this machine, it is a part by itself: what it
// asks models for is known all the same.
func (x *forecaster) parts(a *plan.Action, t forecast.Task) []forecast.Part {
	u := forecast.Of(t, x.samples)
	if a.Kind != plan.Promote || u.Seconds != nil {
		return []forecast.Part{{Usage: u, Heavy: heavy(a.Kind)}}
	}
	own := forecast.Of(forecast.Task{Works: t.Works}, x.samples)
	t.Works = nil
	return []forecast.Part{{Usage: forecast.Of(t, x.samples)}, {Usage: own}}
}

// task is what one action asks for.
func (x *forecaster) task(ctx context.Context, c *config.Cycle, a *plan.Action, version uint64) (forecast.Task, error) {
	t := forecast.Task{Prices: pricesOf(runnerOf(c, a)), Buys: runnerOf(c, a) != nil}
	if a.Kind != plan.Promote {
		w, err := x.cost(ctx, a)
		t.Works = []forecast.Work{w}
		return t, err
	}
	// The decision measures the generator in use where that is not known yet, and opens the gate pool where that is needed.
	t.Works = []forecast.Work{{Stage: deciding}}
	if !x.calibrated {
		t.Works = append(t.Works, forecast.Work{Stage: calibrating})
	}
	current := makes(c, version)
	for _, on := range []*plan.Action{
		{Address: a.Address, Kind: plan.Measure, Cycle: c, Domain: c.Domain, Judges: a.Judges, Models: []*config.Stage{current}},
		{Address: a.Address, Kind: plan.Evaluate, Cycle: c, Domain: c.Domain, Judges: a.Judges, Models: []*config.Stage{c.Trainer, current}, Parts: []plan.Part{{Name: "split", Value: "gate"}}},
	} {
		w, err := x.cost(ctx, on)
		if err != nil {
			return t, err
		}
		t.Maybe = append(t.Maybe, w)
	}
	return t, nil
}

// cost asks the cost models. One that fails leaves its figures unknown, and a note.
func (x *forecaster) cost(ctx context.Context, a *plan.Action) (forecast.Work, error) {
	w, err := x.r.probe.cost(ctx, a)
	if err != nil && ctx.Err() == nil {
		x.notes = append(x.notes, fmt.Sprintf("%s: %v", a.Address, err))
		return forecast.Work{Stage: string(a.Kind) + " without a cost model", Models: true}, nil
	}
	return w, err
}

// later forecasts the cycles after the one that is planned. Their generator is the base or the student; which, is not
// known, so either is covered.
func (x *forecaster) later(ctx context.Context, c *config.Cycle, cp *plan.CyclePlan, f plan.Facts) (forecast.Later, error) {
	l := forecast.Later{Most: cp.Remaining - min(1, cp.Remaining)}
	l.Least = l.Most
	if c.Patience > 0 { // it may converge before
		l.Least = min(l.Most, max(1, c.Patience-min(c.Patience, f.Dry()))-1)
	}
	if l.Most == 0 {
		return l, nil
	}
	x.calibrated = true
	defer func() { x.calibrated = false }()
	var either []forecast.Total
	for _, version := range []uint64{1, 2} {
		setModels(cp.Actions, c, version)
		var parts []forecast.Part
		for _, a := range cp.Actions {
			if !again(c, a) {
				continue
			}
			t, err := x.task(ctx, c, a, version)
			if err != nil {
				return l, err
			}
			switch a.Kind {
			case plan.Generate, plan.Verify, plan.Filter:
				t.May = t.May || c.Regenerate != "cycle"
			}
			parts = append(parts, x.parts(a, t)...)
		}
		either = append(either, forecast.Sum(parts))
	}
	l.Turn = forecast.Total{Usage: forecast.Hull(either[0].Usage, either[1].Usage), Lacking: either[0].Lacking}
	return l, nil
}

// again says whether an action belongs to every cycle, and not to the first alone.
func again(c *config.Cycle, a *plan.Action) bool {
	switch a.Kind {
	case plan.Collect, plan.Benchmark, plan.Real, plan.Adopt:
		return false
	case plan.Mix, plan.Train, plan.Select:
		return a.Stage == c.Trainer
	}
	return true
}

// runnerOf is the generator whose tokens an action uses; nil: none.
func runnerOf(c *config.Cycle, a *plan.Action) *config.Stage {
	switch a.Kind {
	case plan.Generate:
		return a.Stage
	case plan.Select, plan.Measure, plan.Evaluate, plan.Promote:
		return a.Judges.Runner
	}
	return nil
}

func pricesOf(g *config.Stage) *forecast.Prices {
	if g == nil || g.Prices == nil {
		return nil
	}
	return &forecast.Prices{Prompt: g.Prices.Input / 1e6, Completion: g.Prices.Output / 1e6}
}

// left is the part of an action that an interrupted try left to do.
func left(a *plan.Action, ch *plan.Change) float64 {
	for _, why := range ch.Reasons {
		var done uint64
		if why.Code != plan.Interrupted {
			continue
		}
		if _, err := fmt.Sscan(why.Was, &done); err != nil {
			continue
		}
		switch {
		case a.Kind == plan.Train && done > a.Window.Start && done < a.Window.End:
			return float64(a.Window.End-done) / float64(a.Window.End-a.Window.Start)
		case a.Kind == plan.Generate && done < a.Samples:
			return float64(a.Samples-done) / float64(a.Samples)
		}
	}
	return 1
}

// tooLarge says what the machine has too little of: for the action that is likely to need the most memory of those that are
// likely to need more than they may have, and for the disk.
func (x *forecaster) tooLarge(actions []*plan.Action, changes map[addr.Address]*plan.Change, turn forecast.Total) (notes []string) {
	var worst float64
	var note string
	for _, a := range actions {
		ch := changes[a.Address]
		if ch == nil || ch.Forecast == nil || ch.Forecast.MemoryBytes == nil {
			continue
		}
		m := ch.Forecast.MemoryBytes
		needs := fmt.Sprintf("%s takes about %s GB of memory by the forecast (%s–%s)", a.Address, figure(m.Mid/1e9, 3), figure(m.Low/1e9, 3), figure(m.High/1e9, 3))
		limit := 0.0
		if a.Stage != nil {
			limit = a.Stage.Limits.MemoryGB * 1e9
		}
		switch {
		case m.Mid <= worst:
		case limit > 0 && m.Mid > limit:
			worst, note = m.Mid, fmt.Sprintf("%s, and its limits.memory_gb is %s: it is likely to be ended", needs, figure(limit/1e9, 3))
		case x.r.Memory > 0 && m.Mid > float64(x.r.Memory):
			worst, note = m.Mid, fmt.Sprintf("%s, and this machine has %s GB: it is likely to end for want of memory. A smaller model or batch takes less", needs, figure(float64(x.r.Memory)/1e9, 3))
		}
	}
	if note != "" {
		notes = append(notes, note)
	} else if t := takingTurns(actions, changes); t != nil && x.r.Memory > 0 && t.sum > float64(x.r.Memory) {
		notes = append(notes, fmt.Sprintf("%s take turns, since this machine has %s GB and all together would take about %s GB by the forecast: the models of one are let go of before the next",
			strings.Join(t.names, ", "), figure(float64(x.r.Memory)/1e9, 3), figure(t.sum/1e9, 3)))
	}
	if d := turn.DiskBytes; d != nil && x.r.Disk > 0 && d.Mid > float64(x.r.Disk) {
		notes = append(notes, fmt.Sprintf("this cycle takes about %s GB of disk by the forecast (%s–%s), and %s GB are free where the state is",
			figure(d.Mid/1e9, 3), figure(d.Low/1e9, 3), figure(d.High/1e9, 3), figure(float64(x.r.Disk)/1e9, 3)))
	}
	return notes
}

// turns are what the heavy actions of a plan take: each stage's most memory, in the order in which they come.
type turns struct {
	names []string
	sum   float64
}

// takingTurns gives what a machine would need that had the models of all heavy stages in memory at once; nil: one stage does all.
func takingTurns(actions []*plan.Action, changes map[addr.Address]*plan.Change) *turns {
	most := map[string]float64{}
	var t turns
	for _, a := range actions {
		ch := changes[a.Address]
		if ch == nil || ch.Forecast == nil || ch.Forecast.MemoryBytes == nil || !heavy(a.Kind) || a.Stage == nil {
			continue
		}
		name := string(a.Stage.Addr)
		if _, there := most[name]; !there {
			t.names = append(t.names, name)
		}
		most[name] = max(most[name], ch.Forecast.MemoryBytes.Mid)
	}
	if len(t.names) < 2 {
		return nil
	}
	for _, m := range most {
		t.sum += m
	}
	return &t
}

// tooSmall says which budgets of a cycle will not do.
func tooSmall(c *config.Cycle, turn forecast.Total, later forecast.Later) (notes []string) {
	whole := forecast.NewPlan(turn, 1, []forecast.Later{later}).Whole
	for _, b := range []struct {
		name   string
		limit  float64
		unit   float64
		figure func(forecast.Usage) *forecast.Interval
	}{
		{"tokens", float64(c.Budget.Tokens), 1, func(u forecast.Usage) *forecast.Interval { return u.Tokens }},
		{"hours", c.Budget.Hours, 3600, func(u forecast.Usage) *forecast.Interval { return u.Seconds }},
		{"usd", c.Budget.USD, 1, func(u forecast.Usage) *forecast.Interval { return u.USD }},
		{"disk_gb", c.Budget.DiskGB, 1e9, func(u forecast.Usage) *forecast.Interval { return u.DiskBytes }},
	} {
		one, all := b.figure(turn.Usage), b.figure(whole.Usage)
		switch {
		case b.limit == 0:
		case one != nil && b.limit < one.Low/b.unit:
			notes = append(notes, fmt.Sprintf("budget.%s = %s will end the apply within this cycle, which takes at least %s by the forecast", b.name, figure(b.limit, 15), figure(one.Low/b.unit, 3)))
		case all != nil && b.limit < all.Low/b.unit:
			notes = append(notes, fmt.Sprintf("budget.%s = %s will end the apply before its last cycle: all of them take at least %s by the forecast", b.name, figure(b.limit, 15), figure(all.Low/b.unit, 3)))
		}
	}
	return notes
}
