package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"jupiter/plan/config"
)

type rejectOptions struct {
	actOptions
	reasonOptions
}

func newRejectCommand(w *world) *cobra.Command {
	var o rejectOptions
	cmd := &cobra.Command{
		Use:   "reject --reason WHY [DIR|FILE]",
		Short: "Turn the candidate down whose promotion waits",
		Long: `Turn the candidate down that the gate has found better, and say why. The look at the gate pool that it spent
stays spent.

Exit status: 0 done, 1 error, for example when no promotion waits.`,
		Args: maxOneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return reject(cmd.Context(), w, &o, arg(args))
		},
	}
	o.targetOptions.addFlags(cmd)
	o.cycleOptions.addFlags(cmd)
	o.lockOptions.addFlags(cmd)
	o.reasonOptions.addFlags(cmd, "reason", "why, for the record; needed")
	return cmd
}

func reject(ctx context.Context, w *world, o *rejectOptions, arg string) error {
	if err := o.need("reason"); err != nil {
		return err
	}
	return act(ctx, w, &o.actOptions, "reject", arg, func(ctx context.Context, p *project, c *config.Cycle) error {
		if err := p.runner.Reject(ctx, c.Addr, o.reason); err != nil {
			return err
		}
		fmt.Fprintf(w.out, "self_improvement.%s: the candidate was turned down; the generator in use stays.\njupiter apply%s goes on.\n", c.Name, p.at())
		return nil
	})
}
