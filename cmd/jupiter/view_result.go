package main

import (
	"context"
	"fmt"
	"io"

	"jupiter/plan"
	"jupiter/runtime"
	"jupiter/state"
)

// viewResult shows what an apply has come to: cycles, generators, and what to type next.
func viewResult(ctx context.Context, p *project, outcome runtime.Outcome) error {
	earlier := false // there is a generator to go back to
	for _, c := range p.cfg.Cycles {
		f, err := p.runner.Facts(ctx, c.Addr)
		if err != nil {
			return err
		}
		earlier = earlier || f.Current > 1
		if len(f.Decisions) > 0 {
			fmt.Fprintf(p.w.out, "\nCycles of self_improvement.%s\n\n", c.Name)
			viewDecisions(p.w.out, f.Decisions)
		}
		if len(f.Generators) > 0 {
			fmt.Fprintf(p.w.out, "\nGenerators of self_improvement.%s\n\n", c.Name)
			viewGenerators(p.w.out, f)
		}
		if end, why := f.End(c); end != plan.Running {
			fmt.Fprintf(p.w.out, "\nself_improvement.%s: %s (%s).\n", c.Name, end, why)
		}
	}
	fmt.Fprintf(p.w.out, "\n%s\n", outcomeText(outcome))
	viewNext(p.w.out, p.at(), outcome, earlier)
	return nil
}

func outcomeText(o runtime.Outcome) string {
	switch o {
	case runtime.OutcomeDone:
		return "Done: nothing is left to do."
	case runtime.OutcomeConverged:
		return "Converged: the last cycles brought no promotion."
	case runtime.OutcomeCeiling:
		return "Ended: no score could reach the threshold any more."
	case runtime.OutcomeHalted:
		return "Halted by the collapse guard."
	case runtime.OutcomePending:
		return "A promotion waits for you."
	case runtime.OutcomeEnvelope:
		return "Done: as many cycles as were approved. There is more to do."
	case runtime.OutcomePartial:
		return "Done: what was asked for, once. jupiter plan says what else there is to do."
	case runtime.OutcomeInterrupted:
		return "Interrupted. Progress is saved: the next jupiter apply goes on from there."
	}
	return "Ended: " + string(o) + "."
}

// viewDecisions writes a table of cycles.
func viewDecisions(out io.Writer, ds []state.Decision) {
	header := []string{">epoch", ">step", "in use", ">candidate", ">incumbent", "split", ">items", ">gain", ">relative", ">lower bound", "decision"}
	rows := make([][]string, len(ds))
	for i, d := range ds {
		rows[i] = []string{fmt.Sprint(d.Epoch), fmt.Sprint(d.Step), fmt.Sprintf("v%d", d.IncumbentVersion), score(d.Challenger.Score), score(d.Incumbent.Score),
			d.Split, fmt.Sprint(d.N), fmt.Sprintf("%+.4f", d.GainAbsolute), percent(d.GainRelative), optional(d.LCB, "%+.4f"), became(d)}
	}
	table(out, "  ", header, rows)
}

// became is a verdict with the version that it brought.
func became(d state.Decision) string {
	if d.Promoted > 0 {
		return fmt.Sprintf("%s → v%d", verdict(d), d.Promoted)
	}
	return verdict(d)
}

// viewGenerators writes a table of a cycle's generators.
func viewGenerators(out io.Writer, f plan.Facts) {
	header := []string{"version", ">score", ">epoch", ">step", "digest", ""}
	var rows [][]string
	for _, g := range f.Generators {
		note := ""
		switch {
		case g.Version == f.Current:
			note = "in use"
		case g.Withdrawn:
			note = "withdrawn"
			if g.Reason != "" {
				note += ": " + g.Reason
			}
		case g.Released:
			note = "its bytes were let go"
		}
		if g.Base {
			note = joinNonEmpty("base", note)
		}
		rows = append(rows, []string{fmt.Sprintf("v%d", g.Version), score(g.Score), fmt.Sprint(g.Epoch), fmt.Sprint(g.Step), shortDigest(g.Digest), note})
	}
	table(out, "  ", header, rows)
}

func joinNonEmpty(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + ", " + b
}

func shortDigest(d string) string {
	const prefix = len("sha256:")
	if len(d) > prefix+12 {
		return d[prefix : prefix+12]
	}
	return d
}

// viewNext says what to type next.
func viewNext(out io.Writer, at string, outcome runtime.Outcome, earlier bool) {
	var lines [][2]string
	switch outcome {
	case runtime.OutcomePending:
		lines = append(lines, [2]string{"jupiter approve" + at, "promote the candidate"}, [2]string{"jupiter reject" + at + " --reason WHY", "turn it down"})
	case runtime.OutcomeHalted:
		lines = append(lines, [2]string{"jupiter resume" + at + " --ack WHY", "go on all the same"})
	case runtime.OutcomeInterrupted, runtime.OutcomeEnvelope:
		lines = append(lines, [2]string{"jupiter apply" + at, "go on"})
	}
	lines = append(lines, [2]string{"jupiter history" + at, "each decision with its reasons"}, [2]string{"jupiter plot" + at, "scores and diversity, as a picture"},
		[2]string{"jupiter sample" + at + " PROMPT", "ask the generator in use"})
	if earlier {
		lines = append(lines, [2]string{"jupiter rollback" + at, "go back to the generator before"})
	}
	lines = append(lines, [2]string{"jupiter plan" + at, "what is left to do"})
	fmt.Fprintln(out, "\nNext:")
	width := 0
	for _, l := range lines {
		width = max(width, columns(l[0]))
	}
	for _, l := range lines {
		fmt.Fprintf(out, "  %s   %s\n", pad(l[0], width), l[1])
	}
}

// at is the flag that names the configuration from where the user stands.
func (p *project) at() string {
	if p.path == "." {
		return ""
	}
	return " -C " + p.path
}
