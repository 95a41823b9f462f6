package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

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

The history of a self_improvement block is not forgotten: its looks at the gate pool are spent, and its generators keep
their numbers. To begin anew, give the block another name.

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
	err = p.db.Update(ctx, func(tx *state.Tx) (err error) {
		if gone, err = tx.Forget(at...); err != nil {
			return err
		}
		return errOnlyLooking
	})
	if !errors.Is(err, errOnlyLooking) {
		return recordedHint(err)
	}
	for _, a := range gone.Addresses {
		fmt.Fprintln(p.w.out, a)
	}
	what := plural(gone.Actions, "result") + " and " + plural(gone.Partials, "unfinished attempt")
	if o.dry {
		fmt.Fprintf(p.w.out, "Would forget %s.\n", what)
		return nil
	}
	if !o.yes {
		if err := ask(ctx, p.w, "Do you want Jupiter to forget these results?", "to forget results needs a yes, and there is no terminal to ask at: give --yes"); err != nil {
			return err
		}
	}
	err = p.checked(ctx, func() error {
		return p.db.Update(ctx, func(tx *state.Tx) error { _, err := tx.Forget(at...); return err })
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(p.w.out, "Forgot %s. jupiter plan%s says what runs again; jupiter artifact gc removes files that nothing needs.\n", what, p.at())
	return nil
}
