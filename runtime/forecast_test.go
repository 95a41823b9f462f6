package runtime

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"jupiter/plan"
	"jupiter/plan/addr"
	"jupiter/plan/config"
	"jupiter/plan/forecast"
)

// TestTooLarge: of the actions that are likely to need more memory than they may have, the one that needs the most is named, with
// what bounds it; and the disk that is too small. What is likely to fit is not spoken of, nor what is not known.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	about := func(v float64) *forecast.Interval { return &forecast.Interval{Low: v / 2, Mid: v, High: 2 * v} }
	small, bounded := &config.Stage{}, &config.Stage{Limits: config.Limits{MemoryGB: 4}}
	actions := []*plan.Action{{Address: "a", Stage: small}, {Address: "b", Stage: bounded}, {Address: "c"}, {Address: "nothing"}, {Address: "unknown", Stage: small}}
	for _, c := range []struct {
		name         string
		a, b, c      float64 // GB of memory
		memory, disk uint64
		want         []string
	}{
		{"all fits", 7, 3, 1, 8e9, 11e9, nil},
		{"nothing is known of the machine", 70, 3, 1, 0, 0, nil},
		{"more than the machine has", 9, 3, 10.5, 8e9, 11e9,
			[]string{"c takes about 10.5 GB of memory by the forecast (5.25–21), and this machine has 8 GB: it is likely to end for want of memory. A smaller model or batch takes less"}},
		{"more than its own limit", 7, 5, 1, 8e9, 11e9, []string{"b takes about 5 GB of memory by the forecast (2.5–10), and its limits.memory_gb is 4: it is likely to be ended"}},
		{"little disk", 7, 3, 1, 8e9, 9e9, []string{"this cycle takes about 10 GB of disk by the forecast (5–20), and 9 GB are free where the state is"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			changes := map[addr.Address]*plan.Change{"unknown": {Forecast: &forecast.Usage{}}}
			for at, gb := range map[addr.Address]float64{"a": c.a, "b": c.b, "c": c.c} {
				changes[at] = &plan.Change{Forecast: &forecast.Usage{MemoryBytes: about(gb * 1e9)}}
			}
			x := &forecaster{r: &Runner{Memory: c.memory, Disk: c.disk}}
			got := x.tooLarge(actions, changes, forecast.Total{Usage: forecast.Usage{DiskBytes: about(10e9)}})
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

// Stages whose models fit one after the other, and not together, are said to take turns; light actions have no part in it.
func TestTakingTurns(t *testing.T) {
	t.Parallel()
	stage := func(at string) *config.Stage { return &config.Stage{Addr: addr.Address(at)} }
	teacher, student, judge := stage("generator.openai.teacher"), stage("trainer.mlx.student"), stage("evaluator.panel.p")
	actions := []*plan.Action{
		{Address: "a", Kind: plan.Generate, Stage: teacher}, {Address: "b", Kind: plan.Generate, Stage: teacher}, {Address: "c", Kind: plan.Train, Stage: student},
		{Address: "d", Kind: plan.Evaluate, Stage: judge}, {Address: "e", Kind: plan.Filter, Stage: stage("filter.x.y")},
	}
	changes := map[addr.Address]*plan.Change{}
	for at, gb := range map[addr.Address]float64{"a": 2, "b": 3, "c": 4, "d": 2.5, "e": 50} {
		changes[at] = &plan.Change{Forecast: &forecast.Usage{MemoryBytes: &forecast.Interval{Low: gb * 1e9, Mid: gb * 1e9, High: gb * 1e9}}}
	}
	const note = "generator.openai.teacher, trainer.mlx.student, evaluator.panel.p take turns, since this machine has 8 GB and all together would take about 9.5 GB by the forecast: the models of one are let go of before the next"
	for memory, want := range map[uint64][]string{8e9: {note}, 10e9: nil, 0: nil} {
		changes["e"].Forecast.MemoryBytes.Mid = 1e9
		if d := cmp.Diff(want, (&forecaster{r: &Runner{Memory: memory}}).tooLarge(actions, changes, forecast.Total{})); d != "" {
			t.Errorf("%d: -want +got:\n%s", memory, d)
		}
	}
	if got := takingTurns(actions[:2], changes); got != nil {
		t.Errorf("one stage takes turns: %v", got)
	}
}
