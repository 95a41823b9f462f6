package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"jupiter/plan/addr"
	"jupiter/plan/config"
	"jupiter/state"
)

type stateRemoveOptions struct {
	careOptions
	yes bool
	dry bool
}

func newStateRemoveCommand(w *world) *cobra.Command {
	var o stateRemoveOptions
	cmd := &cobra.Command{
		Use:   "rm ADDRESS...",
		Short: "Forget the results of addresses, so that they run again",
		Long: `Forget what is recorded at addresses: the last result, every earlier one that a plan could use again, and what an
unfinished attempt has saved. The next plan runs there again what the configuration still asks for. An address stands for
itself and its instances, a module for all in it. The files stay until jupiter artifact gc.

The history of a self_improvement block, its generators and decisions, is forgotten only when the block is configured no
more; what jupiter plan --destroy plans is for one that is. Looks at the gate pool stay spent in any case.

Exit status: 0 done, 1 error.`,
		Args: func(cmd *cobra.Command, args []string) error { return usage(cobra.MinimumNArgs(1)(cmd, args)) },
		RunE: func(cmd *cobra.Command, args []string) error {
			return changing(cmd.Context(), w, &o.careOptions, "state rm", func(p *project) error { return removeState(cmd.Context(), p, &o, args) })
		},
	}
	o.addFlags(cmd)
	f := cmd.Flags()
	f.BoolVar(&o.yes, "yes", false, "do not ask")
	f.BoolVar(&o.dry, "dry-run", false, "only say what would be forgotten")
	return cmd
}

// errOnlyLooking undoes a transaction that only served to see what it would do.
var errOnlyLooking = errors.New("only looking")

func removeState(ctx context.Context, p *project, o *stateRemoveOptions, args []string) error {
	at, err := parseAddresses(args...)
	if err != nil {
		return err
	}
	var gone state.Forgotten
	var cycles []addr.Address
	forget := func(tx *state.Tx) (err error) {
		if cycles, err = p.destroyHistories(tx, at); err != nil {
			return err
		}
		rest, err := stillRecorded(tx, at, cycles)
		if err != nil {
			return err
		}
		gone, err = tx.Forget(rest...)
		return err
	}
	err = p.db.Update(ctx, func(tx *state.Tx) error {
		if err := forget(tx); err != nil {
			return err
		}
		return errOnlyLooking
	})
	if !errors.Is(err, errOnlyLooking) {
		return recordedHint(err)
	}
	for _, a := range cycles {
		fmt.Fprintf(p.w.out, "%s: its generators and decisions\n", a)
	}
	for _, a := range gone.Addresses {
		fmt.Fprintln(p.w.out, a)
	}
	what := plural(gone.Actions, "result") + " and " + plural(gone.Partials, "unfinished attempt")
	if len(cycles) > 0 {
		what = histories(len(cycles)) + ", " + what
	}
	if o.dry {
		fmt.Fprintf(p.w.out, "Would forget %s.\n", what)
		return nil
	}
	if !o.yes {
		if err := ask(ctx, p.w, "Do you want Jupiter to forget these results?", "to forget results needs a yes, and there is no terminal to ask at: give --yes"); err != nil {
			return err
		}
	}
	if err := p.checked(ctx, func() error { return p.db.Update(ctx, forget) }); err != nil {
		return err
	}
	fmt.Fprintf(p.w.out, "Forgot %s. jupiter plan%s says what runs again; jupiter artifact gc removes files that nothing needs.\n", what, p.at())
	return nil
}

// destroyHistories forgets the histories of cycles that are configured no more, and puts that on record. One that is
// configured is refused: its past decides what its next turn does.
func (p *project) destroyHistories(tx *state.Tx, at []addr.Address) ([]addr.Address, error) {
	cycles := tx.Histories(at...)
	for _, a := range cycles {
		if slices.ContainsFunc(p.cfg.Cycles, func(c *config.Cycle) bool { return c.Addr == a }) {
			return nil, fmt.Errorf("%s is configured, and its history decides what it does next: jupiter plan --destroy plans to forget it, with all that is recorded; "+
				"or take the block out of the configuration first", a)
		}
		if err := tx.DestroyCycle(a); err != nil {
			return nil, err
		}
		if err := tx.AppendEvent(state.Event{Act: "destroy", Cycle: string(a), Who: p.runner.Who, Reason: "jupiter state rm"}); err != nil {
			return nil, err
		}
	}
	return cycles, nil
}

// stillRecorded lists the addresses that stand for more than histories that are gone now.
func stillRecorded(tx *state.Tx, at, gone []addr.Address) (rest []addr.Address, err error) {
	for _, base := range at {
		left, err := tx.Recorded(base)
		if err != nil {
			return nil, err
		}
		if left || !slices.ContainsFunc(gone, func(a addr.Address) bool { return a.Under(base) }) {
			rest = append(rest, base)
		}
	}
	return rest, nil
}

func histories(n int) string {
	if n == 1 {
		return "1 history"
	}
	return fmt.Sprintf("%d histories", n)
}
