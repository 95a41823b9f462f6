package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"jupiter/plan"
	"jupiter/plan/config"
	"jupiter/state"
)

type historyOptions struct {
	targetOptions
	cycleOptions
	json bool
}

func newHistoryCommand(w *world) *cobra.Command {
	var o historyOptions
	cmd := &cobra.Command{
		Use:   "history [DIR|FILE]",
		Short: "List what was decided, with both contestants' scores and the reasons",
		Long: `List the decisions of a cycle, oldest first, and the acts of people in between. The JSON has no times and
no names of runs: equal runs give equal bytes.

Exit status: 0 done, 1 error.`,
		Args: maxOneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return showHistory(cmd.Context(), w, &o, arg(args))
		},
	}
	o.targetOptions.addFlags(cmd)
	o.cycleOptions.addFlags(cmd)
	addJSON(cmd, &o.json, "history")
	return cmd
}

func showHistory(ctx context.Context, w *world, o *historyOptions, arg string) error {
	return look(ctx, w, &o.targetOptions, o.cycleOptions, arg, func(p *project, c *config.Cycle, f plan.Facts) error {
		if o.json {
			return w.json(newHistory(f))
		}
		viewHistory(w.out, c, f)
		return nil
	})
}

// look opens a project for reading and hands a cycle's recorded history to a function.
func look(ctx context.Context, w *world, t *targetOptions, o cycleOptions, arg string, show func(*project, *config.Cycle, plan.Facts) error) (err error) {
	p, err := open(ctx, w, t, t.path(arg), access{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	c, err := p.cycle(o)
	if err != nil {
		return err
	}
	f, err := p.runner.Facts(ctx, c.Addr)
	if err != nil {
		return err
	}
	return show(p, c, f)
}

// history is what history --json writes.
type history struct {
	Schema string         `json:"schema"`
	Cycles []historyCycle `json:"cycles"`
}

// historyCycle is one decision, without what differs from run to run.
type historyCycle struct {
	Epoch            uint64       `json:"epoch"`
	Step             uint64       `json:"step"`
	IncumbentVersion uint64       `json:"incumbent_version"`
	Challenger       state.Scores `json:"challenger"`
	Incumbent        state.Scores `json:"incumbent"`
	Split            string       `json:"split"`
	N                int          `json:"n"`
	Look             *uint64      `json:"look"`
	Alpha            *float64     `json:"alpha"`
	LCB              *float64     `json:"lcb"`
	GainAbsolute     float64      `json:"gain_absolute"`
	GainRelative     *float64     `json:"gain_relative"`
	Decision         string       `json:"decision"`
	Reasons          []string     `json:"reasons"`
}

func newHistory(f plan.Facts) history {
	h := history{Schema: "jupiter.history/v1", Cycles: []historyCycle{}}
	for _, d := range f.Decisions {
		c := historyCycle{d.Epoch, d.Step, d.IncumbentVersion, d.Challenger, d.Incumbent, d.Split, d.N, d.Look, d.Alpha, d.LCB,
			d.GainAbsolute, d.GainRelative, d.Verdict, d.Reasons}
		if c.Reasons == nil {
			c.Reasons = []string{}
		}
		h.Cycles = append(h.Cycles, c)
	}
	return h
}

// viewHistory writes decisions and manual acts in the order in which they happened.
func viewHistory(out io.Writer, c *config.Cycle, f plan.Facts) {
	if len(f.Decisions) == 0 {
		fmt.Fprintf(out, "self_improvement.%s has no decided cycle yet.\n", c.Name)
	} else {
		viewDecisions(out, f.Decisions)
	}
	events := f.Events
	for _, d := range f.Decisions {
		for len(events) > 0 && events[0].Epoch < d.Epoch {
			viewEvent(out, events[0])
			events = events[1:]
		}
		viewReasons(out, d)
	}
	for _, e := range events {
		viewEvent(out, e)
	}
}

func viewReasons(out io.Writer, d state.Decision) {
	fmt.Fprintf(out, "\nEpoch %d, step %d: %s\n", d.Epoch, d.Step, became(d))
	table(out, "  ", []string{"", ">accuracy", ">coherence", ">domain", ">score"}, [][]string{
		scoreRow("candidate", d.Challenger), scoreRow(fmt.Sprintf("generator v%d", d.IncumbentVersion), d.Incumbent)})
	if d.Look != nil {
		fmt.Fprintf(out, "  look %d at the gate pool, α %s, lower bound of the gain %s\n", *d.Look, optional(d.Alpha, "%.4g"), optional(d.LCB, "%+.4f"))
	}
	for _, r := range d.Reasons {
		fmt.Fprintf(out, "  - %s\n", r)
	}
	if r := d.Resolution; r != nil {
		act := "rejected"
		if r.Approved {
			act = "approved"
		}
		fmt.Fprintf(out, "  - %s by %s%s\n", act, r.Who, after(": ", r.Reason))
	}
}

func scoreRow(name string, s state.Scores) []string {
	return []string{name, score(s.Accuracy), score(s.Coherence), score(s.Domain), score(s.Score)}
}

// viewEvent writes a manual act. Approvals and refusals stand with their decision already.
func viewEvent(out io.Writer, e state.Event) {
	if e.Act == "approve" || e.Act == "reject" {
		return
	}
	text := e.Act
	switch {
	case e.From == e.To && e.To > 0:
		text += fmt.Sprintf(" v%d", e.To)
	case e.From > 0 && e.To > 0:
		text += fmt.Sprintf(" v%d → v%d", e.From, e.To)
	}
	fmt.Fprintf(out, "\n%s, by %s%s\n", capital(text), e.Who, after(": ", strings.TrimSpace(e.Reason)))
}

// after is a text with a separator before it, or nothing.
func after(sep, text string) string {
	if text == "" {
		return ""
	}
	return sep + text
}
