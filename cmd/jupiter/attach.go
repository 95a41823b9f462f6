package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"jupiter/runtime"
)

type attachOptions struct {
	targetOptions
	json bool
}

func newAttachCommand(w *world) *cobra.Command {
	var o attachOptions
	cmd := &cobra.Command{
		Use:   "attach [RUN]",
		Short: "Watch an apply that runs elsewhere, until it ends",
		Long: `Show what an apply is doing as if it ran here: the last one, or RUN. It may have been started with --detach or in
another terminal. What is shown begins with the turn that the run is in. Ctrl-C leaves the view, and the run goes on.

Exit status: 0 the apply has ended with that, or what else it ended with; 1 where it was cut off, 130 after Ctrl-C.`,
		Args: maxOneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return attach(cmd.Context(), w, &o, arg(args))
		},
	}
	o.addFlags(cmd)
	cmd.Flags().BoolVar(&o.json, "json", false, "write JSON, an event a line, as apply does")
	return cmd
}

func attach(ctx context.Context, w *world, o *attachOptions, id string) error {
	run, err := findRun(ctx, w, &o.targetOptions, id)
	if err != nil {
		return err
	}
	f, err := run.file(eventsSuffix)
	if err != nil {
		return err
	}
	defer f.Close()
	interrupts := watchInterrupts(ctx, w)
	defer interrupts.close()
	a := &attached{watched: run, w: w, view: newRunView(w, o.json), events: newLines(f)}
	if !o.json {
		if a.skip, err = lastTurn(run); err != nil {
			return err
		}
		fmt.Fprintf(w.out, "Run %s, begun %s.\n", run.run.ID, local(run.run.Began))
	}
	a.view.start()
	err = run.follow(interrupts.ctx, a.news)
	a.view.ended(a.ending(err))
	switch {
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(w.err, "The run goes on. jupiter attach comes back to it, jupiter stop ends it.")
		return code(exitInterrupted)
	case err != nil:
		return err
	case a.outcome == nil:
		return fmt.Errorf("run %s was cut off: it has no end. What it saved is kept, and jupiter apply goes on from there", run.run.ID)
	}
	if !o.json {
		if a.outcome.Error != "" {
			fmt.Fprintf(w.err, "Error: %s\n", a.outcome.Error)
		}
		fmt.Fprintf(w.out, "\n%s\n", outcomeText(a.outcome.Outcome))
	}
	return code(a.outcome.Status)
}

// attached shows a run from its files.
type attached struct {
	*watched
	w       *world
	view    runView
	events  *lines
	skip    int // events of turns before
	nowAs   time.Time
	outcome *outcomeLine // nil: not written yet
}

// ending is how the view ends: as the run, or without it.
func (a *attached) ending(err error) ending {
	e := ending{at: a.w.now(), run: a.run.ID, err: err}
	if o := a.outcome; o != nil {
		e.at, e.outcome, e.status = o.At, o.Outcome, o.Status
		if o.Error != "" {
			e.err = errors.New(o.Error)
		}
		return e
	}
	e.outcome, e.status = "running", exitInterrupted
	if err == nil {
		e.outcome, e.status = "killed", exitError
	}
	return e
}

// news shows what the run has written since the last call.
func (a *attached) news() (done bool, err error) {
	for {
		line, ok, err := a.events.next()
		if err != nil {
			return false, err
		}
		if !ok {
			return false, a.progress()
		}
		var kind struct {
			Event string `json:"event"`
		}
		if err := json.Unmarshal(line, &kind); err != nil {
			return false, fmt.Errorf("events of run %s: %w", a.run.ID, err)
		}
		if kind.Event == "outcome" {
			a.outcome = &outcomeLine{}
			return true, json.Unmarshal(line, a.outcome)
		}
		if a.skip > 0 {
			a.skip--
			continue
		}
		if err := a.show(line); err != nil {
			return false, err
		}
	}
}

func (a *attached) show(line []byte) error {
	var e runtime.Event
	if err := json.Unmarshal(line, &e); err != nil {
		return fmt.Errorf("events of run %s: %w", a.run.ID, err)
	}
	a.view.Emit(e)
	return nil
}

// progress shows how far the actions are, where that has changed.
func (a *attached) progress() error {
	path := runFile(a.stateDir, a.run.ID, nowSuffix)
	info, err := os.Stat(path)
	if err != nil || info.ModTime().Equal(a.nowAs) {
		return ignoreGone(err)
	}
	a.nowAs = info.ModTime()
	events, err := readNow(path)
	for _, e := range events {
		a.view.Emit(e)
	}
	return err
}

func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// readNow reads a RUN.now; none where there is none.
func readNow(path string) (events []runtime.Event, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, ignoreGone(err)
	}
	for line := range bytes.Lines(b) {
		var e runtime.Event
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		events = append(events, e)
	}
	return events, nil
}

// lastTurn counts the events before the turn that the run is in. What is written meanwhile is of that turn, or of the next.
func lastTurn(r *watched) (before int, err error) {
	f, err := r.file(eventsSuffix)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	read := newLines(f)
	for n := 0; ; n++ {
		line, ok, err := read.next()
		if err != nil || !ok {
			return before, err
		}
		var kind struct {
			Event runtime.EventType `json:"event"`
		}
		if err := json.Unmarshal(line, &kind); err != nil {
			return 0, fmt.Errorf("events of run %s: %w", r.run.ID, err)
		}
		if kind.Event == runtime.Planned {
			before = n
		}
	}
}
