package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"jupiter/plan/addr"
	"jupiter/state"
)

func newStateMoveCommand(w *world) *cobra.Command {
	var o careOptions
	cmd := &cobra.Command{
		Use:   "mv FROM TO",
		Short: "Give what is recorded at an address another address",
		Long: `Give what is recorded at an address, and at all that lies under it, another address, after a block was renamed in the
configuration. What was done stays done. The address may be that of a stage, of one of its instances, of a domain, of a
self_improvement block with its whole history, or of a module:

  jupiter state mv trainer.llama.student trainer.llama.pupil
  jupiter state mv module.a module.b

Nothing may be recorded under the new address. A block keeps its kind. It is refused while another command changes the
state.

Exit status: 0 done, 1 error.`,
		Args: func(cmd *cobra.Command, args []string) error { return usage(cobra.ExactArgs(2)(cmd, args)) },
		RunE: func(cmd *cobra.Command, args []string) error {
			return changing(cmd.Context(), w, &o, "state mv", func(p *project) error { return moveState(cmd.Context(), p, args[0], args[1]) })
		},
	}
	o.addFlags(cmd)
	return cmd
}

func moveState(ctx context.Context, p *project, from, to string) error {
	at, err := parseAddresses(from, to)
	if err != nil {
		return err
	}
	var moved []addr.Address
	err = p.checked(ctx, func() error {
		return p.db.Update(ctx, func(tx *state.Tx) (err error) {
			if moved, err = tx.Under(at[0]); err != nil {
				return err
			}
			return tx.MoveAll(at[0], at[1])
		})
	})
	if err != nil {
		return recordedHint(err)
	}
	for _, a := range moved {
		fmt.Fprintf(p.w.out, "%s → %s\n", a, a.Rebase(at[0], at[1]))
	}
	links, err := p.db.RepairLinks(ctx)
	if err != nil {
		return err
	}
	for _, l := range links {
		fmt.Fprintf(p.w.out, "link %s follows the state again\n", l)
	}
	return nil
}

// parseAddresses reads addresses as a person types them.
func parseAddresses(texts ...string) ([]addr.Address, error) {
	var all []addr.Address
	for _, t := range texts {
		a, err := addr.Parse(t)
		if err != nil {
			return nil, usageError{err}
		}
		all = append(all, a)
	}
	return all, nil
}

// recordedHint says where to look for what is recorded.
func recordedHint(err error) error {
	if errors.Is(err, state.ErrNotFound) {
		return fmt.Errorf("%w; jupiter state list says what is recorded", err)
	}
	return err
}
