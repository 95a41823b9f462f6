package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"jupiter/state"
)

type stopOptions struct {
	targetOptions
	now bool
}

func newStopCommand(w *world) *cobra.Command {
	var o stopOptions
	cmd := &cobra.Command{
		Use:   "stop [DIR|FILE]",
		Short: "Have an apply save what runs, and end",
		Long: `Do to an apply that runs elsewhere, detached or in another terminal, what Ctrl-C does to one that runs here: it
saves what runs and ends, and the next apply goes on from there. The command waits for that; Ctrl-C ends the waiting and
not the saving. A second jupiter stop, or --now, has the apply end at once; what was saved before is kept.

Only the process that holds the state is asked, on the machine that it runs on.

Exit status: 0 nothing runs any more, 1 error.`,
		Args: maxOneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return stop(cmd.Context(), w, &o, arg(args))
		},
	}
	o.addFlags(cmd)
	cmd.Flags().BoolVar(&o.now, "now", false, "do not wait until what runs is saved")
	return cmd
}

func stop(ctx context.Context, w *world, o *stopOptions, arg string) error {
	dir := ""
	err := reading(ctx, w, &o.targetOptions, arg, func(p *project) error {
		dir = p.cfg.StateDir
		return nil
	})
	if err != nil {
		return err
	}
	h, held, err := state.LockHolder(dir)
	if err != nil {
		return err
	}
	if !held {
		fmt.Fprintln(w.out, "Nothing is running.")
		return nil
	}
	if err := signalHolder(w, dir, h); err != nil {
		return err
	}
	fmt.Fprintf(w.out, "Process %d saves what runs, and ends.\n", h.PID)
	again := w.now().Add(oneSignal + oneSignal/10) // an earlier one would be taken for the same
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		now, held, err := state.LockHolder(dir)
		switch {
		case err != nil:
			return err
		case !held || now.PID != 0 && now != h:
			fmt.Fprintln(w.out, "It has ended. jupiter apply goes on from there.")
			return nil
		case o.now && w.now().After(again):
			o.now = false
			if err := signalHolder(w, dir, h); err != nil && !errors.Is(err, errNotHeld) {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// errNotHeld says that the state has another holder than before, or none.
var errNotHeld = errors.New("it has ended meanwhile")

// signalHolder sends SIGTERM to the apply that holds the state, and to nobody else: the process is taken hold of first,
// and only then is it made sure that it is the one that has the lock.
func signalHolder(w *world, dir string, h state.Holder) error {
	_, machine := operator(w)
	switch {
	case h.PID <= 1:
		return errors.New("another command holds the state and has not said who it is; jupiter status may know in a moment")
	case h.Host != machine:
		return fmt.Errorf("the apply runs on %s, and this is %s: type jupiter stop there", h.Host, machine)
	case !strings.HasPrefix(h.Command, applyName):
		return fmt.Errorf("process %d runs \"%s\", which is no apply: it ends by itself, or where it was started", h.PID, h.Command)
	}
	proc, err := os.FindProcess(h.PID)
	if err != nil {
		return fmt.Errorf("process %d: %w", h.PID, err)
	}
	defer func() { _ = proc.Release() }()
	has, err := hasOpen(h.PID, filepath.Join(dir, "lock"))
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("process %d is another user's, %s: ask there", h.PID, h.Who)
	}
	now, held, lockErr := state.LockHolder(dir)
	switch {
	case err != nil || lockErr != nil:
		return errors.Join(err, lockErr)
	case !held || now != h:
		return errNotHeld
	case !has:
		return fmt.Errorf("process %d does not have the lock that is written down as its own: it may be one of another container. Stop the apply where it was started", h.PID)
	}
	if err := proc.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("process %d: %w", h.PID, err)
	}
	return nil
}
