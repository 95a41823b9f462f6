package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"jupiter/plan"
	"jupiter/state"
)

type statusOptions struct {
	targetOptions
	json bool
}

func newStatusCommand(w *world) *cobra.Command {
	var o statusOptions
	cmd := &cobra.Command{
		Use:   "status [DIR|FILE]",
		Short: "Say what an apply is doing, and where each cycle stands",
		Long: `Say who holds the state and since when, which actions run and how far they have saved, and where each cycle
stands. It works beside an apply, in another terminal. jupiter attach watches one.

Exit status: 0 done, 1 error.`,
		Args: maxOneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return showStatus(cmd.Context(), w, &o, arg(args))
		},
	}
	o.addFlags(cmd)
	addJSON(cmd, &o.json, "status")
	return cmd
}

// status is what jupiter status says.
type status struct {
	Schema string        `json:"schema"`
	Lock   *state.Holder `json:"lock"` // null: nobody changes the state
	Run    *statusRun    `json:"run"`  // the last apply; null: there was none
	Cycles []statusCycle `json:"cycles"`
}

type statusRun struct {
	ID       string         `json:"id"`
	Began    time.Time      `json:"began"`
	Outcome  string         `json:"outcome"` // running, killed, or how it ended
	PID      int            `json:"pid"`
	Detached bool           `json:"detached"` // it runs, and no terminal waits for it
	Log      *string        `json:"log"`      // path; null: none is kept
	Running  []statusAction `json:"running"`
	Saved    []statusAction `json:"saved"` // begun by some apply, not running now: the next one goes on with them
}

// statusAction is an action with what it has saved. Done is 0 where it has saved nothing.
type statusAction struct {
	Address string     `json:"address"`
	Since   *time.Time `json:"since"` // when it began in this run; null: it does not run
	Done    uint64     `json:"done"`
	Unit    string     `json:"unit"`
	SavedAt *time.Time `json:"saved_at"`
	Now     *statusNow `json:"now"` // null: it does not run, or has not said how far it is
}

// statusNow is how far an action said that it is, saved or not.
type statusNow struct {
	Done  uint64    `json:"done"`
	Total uint64    `json:"total"` // 0: not known
	Unit  string    `json:"unit"`
	At    time.Time `json:"at"`
}

type statusCycle struct {
	Cycle     string   `json:"cycle"`
	Phase     string   `json:"phase"` // running, or the end that it came to
	Why       string   `json:"why"`
	Epoch     uint64   `json:"epoch"` // decided cycles
	Step      uint64   `json:"step"`  // of the last decision
	MaxSteps  uint64   `json:"max_steps"`
	Generator uint64   `json:"generator"` // version in use; 0: none yet
	Score     *float64 `json:"score"`     // of the generator in use
}

func showStatus(ctx context.Context, w *world, o *statusOptions, arg string) error {
	return reading(ctx, w, &o.targetOptions, arg, func(p *project) error {
		s, err := p.status(ctx)
		if err != nil {
			return err
		}
		if o.json {
			return w.json(s)
		}
		viewStatus(w, s)
		return nil
	})
}

func (p *project) status(ctx context.Context) (status, error) {
	s := status{Schema: "jupiter.status/v1", Cycles: []statusCycle{}}
	holder, held, err := state.LockHolder(p.db.Dir())
	if err != nil && !errors.Is(err, state.ErrUnsupported) {
		return s, err
	}
	if held {
		s.Lock = &holder
	}
	runs, err := p.runs(ctx)
	if err != nil {
		return s, err
	}
	if n := len(runs); n > 0 {
		if s.Run, err = p.statusRun(ctx, runs[n-1], holder, held); err != nil {
			return s, err
		}
	}
	for _, c := range p.cfg.Cycles {
		f, err := p.runner.Facts(ctx, c.Addr)
		if err != nil {
			return s, err
		}
		sc := statusCycle{Cycle: c.Name, Phase: "running", Epoch: uint64(len(f.Decisions)), Step: f.Step(), MaxSteps: c.Trainer.MaxSteps, Generator: f.Current}
		if end, why := f.End(c); end != plan.Running {
			sc.Phase, sc.Why = string(end), why
		}
		if g := f.Generator(); g != nil {
			sc.Score = g.Score
		}
		s.Cycles = append(s.Cycles, sc)
	}
	return s, nil
}

// statusRun reads the last run's journal, which says what runs, the partial results, which say what is saved of it, and what
// the run has written down of how far it is.
func (p *project) statusRun(ctx context.Context, r state.Run, h state.Holder, held bool) (*statusRun, error) {
	out := &statusRun{ID: r.ID, Began: r.Began, Outcome: runOutcome(r, held), PID: r.PID, Running: []statusAction{}, Saved: []statusAction{}}
	out.Detached = out.Outcome == "running" && h.Command == detachedName
	log := runFile(p.cfg.StateDir, r.ID, logSuffix)
	if _, err := os.Stat(log); err == nil {
		out.Log = &log
	}
	journal, err := p.journal(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	partials := map[string]state.Partial{} // by address, the newest
	err = p.db.View(ctx, func(tx *state.Tx) error {
		for part, err := range tx.Partials() {
			if err != nil {
				return err
			}
			if part.At.After(partials[part.Address].At) {
				partials[part.Address] = part
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if out.Outcome == "running" {
		now, err := readNow(runFile(p.cfg.StateDir, r.ID, nowSuffix))
		if err != nil {
			return nil, err
		}
		for _, e := range unfinished(journal) {
			a := action(e.Address, &e.At, partials)
			for _, n := range now {
				if n.Address == e.Address {
					a.Now = &statusNow{n.Done, n.Total, n.Unit, n.At}
				}
			}
			out.Running = append(out.Running, a)
			delete(partials, e.Address)
		}
	}
	for _, address := range slices.Sorted(maps.Keys(partials)) {
		out.Saved = append(out.Saved, action(address, nil, partials))
	}
	return out, nil
}

func action(address string, since *time.Time, partials map[string]state.Partial) statusAction {
	a := statusAction{Address: address, Since: since}
	if part, ok := partials[address]; ok {
		a.Done, a.Unit, a.SavedAt = part.Done, part.Unit, &part.At
	}
	return a
}

// unfinished lists the entries of a journal that began something which has not ended, in order.
func unfinished(journal []state.Entry) []state.Entry {
	var open []state.Entry
	for _, e := range journal {
		for i := range open {
			if open[i].Address == e.Address {
				open = append(open[:i], open[i+1:]...)
				break
			}
		}
		if e.Event == "started" {
			open = append(open, e)
		}
	}
	return open
}

func viewStatus(w *world, s status) {
	out, now := w.out, w.now()
	if h := s.Lock; h == nil {
		fmt.Fprintln(out, "Nothing is running.")
	} else if h.PID == 0 {
		fmt.Fprintln(out, "Another command holds the state.")
	} else {
		fmt.Fprintf(out, "%s runs \"%s\" on %s as process %d since %s (%s).\n", h.Who, h.Command, h.Host, h.PID, local(h.Since), span(now.Sub(h.Since)))
	}
	if r := s.Run; r != nil {
		viewStatusRun(out, r, now)
	}
	fmt.Fprintln(out)
	var rows [][]string
	for _, c := range s.Cycles {
		g := "none yet"
		if c.Generator > 0 {
			g = fmt.Sprintf("v%d", c.Generator)
		}
		rows = append(rows, []string{c.Cycle, fmt.Sprint(c.Epoch), fmt.Sprintf("%d/%d", c.Step, c.MaxSteps), g, score(c.Score), c.Phase})
	}
	table(out, "", []string{"cycle", ">epoch", ">step", "generator", ">score", "phase"}, rows)
	for _, c := range s.Cycles {
		if c.Why != "" {
			fmt.Fprintf(out, "\n%s: %s.\n", c.Cycle, c.Why)
		}
	}
}

// viewStatusRun says what the last run does, or came to.
func viewStatusRun(out io.Writer, r *statusRun, now time.Time) {
	fmt.Fprintf(out, "\nRun %s, begun %s: %s\n", r.ID, local(r.Began), r.Outcome)
	for _, a := range r.Running {
		fmt.Fprintf(out, "  running  %s, for %s%s%s\n", a.Address, span(now.Sub(*a.Since)), nowText(a), savedText(a, now))
	}
	for _, a := range r.Saved {
		fmt.Fprintf(out, "  saved    %s%s\n", a.Address, savedText(a, now))
	}
	if r.Log != nil {
		fmt.Fprintf(out, "  log      %s\n", *r.Log)
	}
	switch {
	case r.Detached:
		fmt.Fprintf(out, "It goes on by itself, as process %d: jupiter attach watches it, jupiter stop has it save and end.\n", r.PID)
	case r.Outcome == "running":
		fmt.Fprintln(out, "jupiter attach watches it, jupiter stop has it save and end.")
	case r.Outcome == "killed":
		fmt.Fprintln(out, "It was cut off: process or machine ended before it could save. What it had saved is kept, and jupiter apply goes on from there.")
	}
}

func nowText(a statusAction) string {
	switch n := a.Now; {
	case n == nil:
		return ""
	case n.Total == 0:
		return fmt.Sprintf(", at %d %s", n.Done, n.Unit)
	default:
		return fmt.Sprintf(", at %d/%d %s", n.Done, n.Total, n.Unit)
	}
}

func savedText(a statusAction, now time.Time) string {
	if a.SavedAt == nil {
		return ""
	}
	return fmt.Sprintf(": %d %s saved %s ago", a.Done, a.Unit, span(now.Sub(*a.SavedAt)))
}
