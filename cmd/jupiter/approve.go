package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"jupiter/plan/config"
)

type approveOptions struct {
	actOptions
	reasonOptions
}

func newApproveCommand(w *world) *cobra.Command {
	var o approveOptions
	cmd := &cobra.Command{
		Use:   "approve [DIR|FILE]",
		Short: "Promote the candidate whose promotion waits",
		Long: `Promote the candidate of a cycle with promotion = "manual" that the gate has found better.

Exit status: 0 done, 1 error, for example when no promotion waits.`,
		Args: maxOneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return approve(cmd.Context(), w, &o, arg(args))
		},
	}
	o.targetOptions.addFlags(cmd)
	o.cycleOptions.addFlags(cmd)
	o.lockOptions.addFlags(cmd)
	o.reasonOptions.addFlags(cmd, "reason", "why, for the record")
	return cmd
}

func approve(ctx context.Context, w *world, o *approveOptions, arg string) error {
	return act(ctx, w, &o.actOptions, "approve", arg, func(ctx context.Context, p *project, c *config.Cycle) error {
		g, err := p.runner.Approve(ctx, c.Addr, o.reason)
		if err != nil {
			return err
		}
		fmt.Fprintf(w.out, "self_improvement.%s: generator v%d is now in use (step %d, score %s).\njupiter apply%s goes on.\n",
			c.Name, g.Version, g.Step, score(g.Score), p.at())
		return nil
	})
}
