package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"jupiter/plan/forecast"
	"jupiter/state"
)

func newRunsCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "runs",
		Short: "List applies, and what happened in them",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newRunsListCommand(w), newRunsShowCommand(w))
	return cmd
}

func newRunsListCommand(w *world) *cobra.Command {
	var o stateOptions
	cmd := &cobra.Command{
		Use:   "list [DIR|FILE]",
		Short: "List the applies, oldest first",
		Long: `List the applies, oldest first, with how they ended. One that was killed has no end.

Exit status: 0 done, 1 error.`,
		Args: maxOneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return reading(cmd.Context(), w, &o.targetOptions, arg(args), func(p *project) error { return listRuns(cmd.Context(), p, o.json) })
		},
	}
	o.addFlags(cmd)
	addJSON(cmd, &o.json, "runs")
	return cmd
}

// runList is what runs list --json writes.
type runList struct {
	Schema string      `json:"schema"`
	Runs   []state.Run `json:"runs"`
}

func listRuns(ctx context.Context, p *project, asJSON bool) error {
	runs, err := p.runs(ctx)
	if err != nil {
		return err
	}
	if asJSON {
		return p.w.json(runList{"jupiter.runs/v1", runs})
	}
	if len(runs) == 0 {
		fmt.Fprintln(p.w.out, "There was no apply yet.")
		return nil
	}
	held, err := p.held()
	if err != nil {
		return err
	}
	var rows [][]string
	for i, r := range runs {
		rows = append(rows, []string{r.ID, local(r.Began), runLength(r), runOutcome(r, held && i == len(runs)-1), r.Who})
	}
	table(p.w.out, "", []string{"run", "began", ">took", "outcome", "by"}, rows)
	return nil
}

// runs reads all applies, oldest first.
func (p *project) runs(ctx context.Context) ([]state.Run, error) {
	runs := []state.Run{}
	err := p.db.View(ctx, func(tx *state.Tx) error {
		for r, err := range tx.Runs() {
			if err != nil {
				return err
			}
			runs = append(runs, r)
		}
		return nil
	})
	return runs, err
}

// held says whether somebody changes the state now. Where locks do not hold, nobody can.
func (p *project) held() (bool, error) {
	_, held, err := state.LockHolder(p.db.Dir())
	if errors.Is(err, state.ErrUnsupported) {
		return false, nil
	}
	return held, err
}

// lastRunKilled says whether the last apply never came to its end. The caller holds the operation lock, so it does not
// run any more.
func (p *project) lastRunKilled(ctx context.Context) (bool, error) {
	runs, err := p.runs(ctx)
	if err != nil || len(runs) == 0 {
		return false, err
	}
	return runs[len(runs)-1].Ended.IsZero(), nil
}

func local(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }

func runLength(r state.Run) string {
	if r.Ended.IsZero() {
		return "–"
	}
	return spent(r.Ended.Sub(r.Began).Seconds())
}

// runOutcome is how a run ended, or why there is nothing to say about it.
func runOutcome(r state.Run, held bool) string {
	switch {
	case r.Outcome != "":
		return r.Outcome
	case held:
		return "running"
	}
	return "killed"
}

func newRunsShowCommand(w *world) *cobra.Command {
	var o stateOptions
	cmd := &cobra.Command{
		Use:   "show RUN",
		Short: "Show an apply with its journal; \"last\" is the newest",
		Long: `Show how an apply went: what it was forecast to take and what it took, and when each action started,
finished, failed or was interrupted. A forecast is of all that was approved; an apply that ends early takes less.

Exit status: 0 done, 1 error.`,
		Args: oneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return reading(cmd.Context(), w, &o.targetOptions, "", func(p *project) error { return showRun(cmd.Context(), p, args[0], o.json) })
		},
	}
	o.addFlags(cmd)
	addJSON(cmd, &o.json, "run")
	return cmd
}

// runShow is what runs show --json writes.
type runShow struct {
	Schema  string        `json:"schema"`
	Run     state.Run     `json:"run"` // has the forecast and the actual in full
	Compare []compared    `json:"compare"`
	Journal []state.Entry `json:"journal"`
}

func showRun(ctx context.Context, p *project, id string, asJSON bool) error {
	runs, err := p.runs(ctx)
	if err != nil {
		return err
	}
	s := runShow{Schema: "jupiter.run/v1", Journal: []state.Entry{}}
	for i, r := range runs {
		if r.ID == id || id == "last" && i == len(runs)-1 {
			s.Run = r
		}
	}
	if s.Run.ID == "" {
		return fmt.Errorf("there is no run %q; jupiter runs list says which there are", id)
	}
	var f *forecast.Plan
	if s.Run.Forecast != nil {
		if err := json.Unmarshal(s.Run.Forecast, &f); err != nil {
			return fmt.Errorf("forecast of run %s: %w", s.Run.ID, err)
		}
	}
	s.Compare = comparison(f, s.Run.Actual, s.Run.Outcome)
	if s.Journal, err = p.journal(ctx, s.Run.ID); err != nil {
		return err
	}
	if asJSON {
		return p.w.json(s)
	}
	held, err := p.held()
	if err != nil {
		return err
	}
	viewRunRecord(p.w.out, s, runOutcome(s.Run, held && s.Run.ID == runs[len(runs)-1].ID))
	return nil
}

// journal reads a run's lines.
func (p *project) journal(ctx context.Context, run string) ([]state.Entry, error) {
	all := []state.Entry{}
	err := p.db.View(ctx, func(tx *state.Tx) error {
		for e, err := range tx.Journal(run) {
			if err != nil {
				return err
			}
			all = append(all, e)
		}
		return nil
	})
	return all, err
}

func viewRunRecord(out io.Writer, s runShow, outcome string) {
	r := s.Run
	took := ""
	if !r.Ended.IsZero() {
		took = ", took " + runLength(r)
	}
	fmt.Fprintf(out, "%s by %s, began %s%s: %s\n", r.ID, r.Who, local(r.Began), took, outcome)
	if r.Error != "" {
		fmt.Fprintf(out, "%s\n", r.Error)
	}
	fmt.Fprintln(out)
	viewComparison(out, s.Compare)
	fmt.Fprintln(out)
	for _, e := range s.Journal {
		fmt.Fprintf(out, "  %s  %s  %s%s\n", e.At.Local().Format("15:04:05"), pad(e.Event, 11), e.Address, after("  ", e.Detail))
	}
}
