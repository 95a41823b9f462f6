package main

import (
	"context"
	"fmt"
	"io"
	"math"

	"jupiter/bench/figures"
)

// report gathers samples by the name of what was measured, in the order of their first.
type report struct {
	machine   string
	terraform string // its version; "" where it was not measured
	names     []string
	samples   map[string][]sample
}

func (r *report) take(ctx context.Context, name string, c command) error {
	s, err := c.measure(ctx)
	if err != nil {
		return err
	}
	r.add(name, s)
	return nil
}

func (r *report) add(name string, s sample) {
	if r.samples == nil {
		r.samples = map[string][]sample{}
	}
	if r.samples[name] == nil {
		r.names = append(r.names, name)
	}
	r.samples[name] = append(r.samples[name], s)
}

// result is the last line: what scripts read. A figure that could not be taken is null.
type result struct {
	VsTerraform *float64 `json:"plan_2000_vs_terraform"` // Terraform's wall time over ours
	Plan2000    float64  `json:"plan_2000_s"`
	Plan10000   float64  `json:"plan_10000_s"`
	Memory      float64  `json:"plan_10000_mb"`
	Growth      float64  `json:"growth"` // wall time of 10,000 stages over that of 1,000
	Version     float64  `json:"version_ms"`
}

func (r *report) result() result {
	of := func(n int) sample { return medians(r.samples[planName(n, spellings[0])]) }
	out := result{
		Plan2000: figures.Round(of(2000).wall, 4), Plan10000: figures.Round(of(10000).wall, 4), Memory: figures.Round(of(10000).memory, 1),
		Growth: figures.Round(of(10000).wall/of(1000).wall, 2), Version: figures.Round(1000*medians(r.samples[versionName]).wall, 2),
	}
	if peer := r.samples[peerName]; len(peer) > 0 {
		ratio := figures.Round(medians(peer).wall/of(peerChain).wall, 1)
		out.VsTerraform = &ratio
	}
	return out
}

func (x result) goals() []figures.Goal {
	all := []figures.Goal{
		{What: "10,000 stages", Is: fmt.Sprintf("%.2f s", x.Plan10000), Bound: "under 2 s", Met: x.Plan10000 < 2},
		{What: "10,000 stages", Is: fmt.Sprintf("%.0f MB", x.Memory), Bound: "under 500 MB", Met: x.Memory < 500},
		{What: "10,000 against 1,000 stages", Is: fmt.Sprintf("%.1f × the time", x.Growth), Bound: "at most 12 ×", Met: x.Growth <= 12},
		{What: "jupiter version", Is: fmt.Sprintf("%.1f ms", x.Version), Bound: "under 30 ms", Met: x.Version < 30},
	}
	if x.VsTerraform != nil {
		peer := figures.Goal{What: "2,000 stages", Is: fmt.Sprintf("%.0f × faster than Terraform", *x.VsTerraform), Bound: "at least 20 ×", Met: *x.VsTerraform >= 20}
		all = append([]figures.Goal{peer}, all...)
	}
	return all
}

// write prints the tables, the notes and the line for scripts.
func (r *report) write(w io.Writer) error {
	fmt.Fprint(w, r.machine)
	if r.terraform != "" {
		fmt.Fprintf(w, "; terraform %s", r.terraform)
	}
	fmt.Fprint(w, "\n\n| nothing to change | runs | wall, median (least–most) | CPU, median | memory, median |\n| --- | --- | --- | --- | --- |\n")
	for _, name := range r.names {
		all := r.samples[name]
		m, lo, hi := medians(all), math.Inf(1), 0.0
		for _, s := range all {
			lo, hi = min(lo, s.wall), max(hi, s.wall)
		}
		fmt.Fprintf(w, "| %s | %d | %.3f s (%.3f–%.3f) | %.2f s | %.0f MB |\n", name, len(all), m.wall, lo, hi, m.cpu, m.memory)
	}
	res := r.result()
	figures.WriteGoals(w, res.goals())
	fmt.Fprint(w, notes)
	if res.VsTerraform == nil {
		fmt.Fprint(w, "- Terraform was not measured, so nothing is said of it.\n")
	}
	return figures.WriteResult(w, res)
}

const notes = `
- A stage is a filter block, and a plan compares it with its record; 11 more actions make up the cycle. The decision is
  left: a cycle with nothing left is not expanded, and its plan would be faster.
- The records were written directly, under the planner's identities, and not by an apply.
- CPU is that of the process and of the plugins that it started, memory the most that one of them held. Caches are warm.
- Terraform's state names the resource before each and not all that come before, which makes its plan faster.
`
