package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"jupiter/plan/config"
)

type adoptOptions struct {
	actOptions
	reasonOptions
	version string
}

func newAdoptCommand(w *world) *cobra.Command {
	var o adoptOptions
	cmd := &cobra.Command{
		Use:   "adopt [--version N] [DIR|FILE]",
		Short: "Use a recorded generator without a decision of the gate",
		Long: `Make a version of the history the generator in use, without a decision of the gate. Without --version it is
the one that the link generators/current leads to: who moved the link by hand is taken at their word.

The student stays as it is, and no version is withdrawn; jupiter rollback is the way back from a generator
that turned out bad.

Exit status: 0 done, 1 error, for example when the version is in use already.`,
		Args: maxOneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return adopt(cmd.Context(), w, &o, arg(args))
		},
	}
	o.targetOptions.addFlags(cmd)
	o.cycleOptions.addFlags(cmd)
	o.lockOptions.addFlags(cmd)
	o.reasonOptions.addFlags(cmd, "reason", "why, for the record")
	cmd.Flags().StringVar(&o.version, "version", "", "the version `N` to use")
	return cmd
}

func adopt(ctx context.Context, w *world, o *adoptOptions, arg string) error {
	version, err := parseVersion("--version", o.version)
	if err != nil {
		return err
	}
	o.links = version == 0
	return act(ctx, w, &o.actOptions, "adopt", arg, func(ctx context.Context, p *project, c *config.Cycle) error {
		if version == 0 {
			links, ok := p.db.Links(c.Addr)
			if !ok {
				return errors.New("this cycle has no links; name a version with --version")
			}
			linked, found, err := links.Current()
			if err != nil {
				return err
			}
			if !found {
				return errors.New("generators/current leads to no recorded generator; name a version with --version")
			}
			version = linked
		}
		before, err := p.runner.Facts(ctx, c.Addr)
		if err != nil {
			return err
		}
		if err := p.runner.Adopt(ctx, c.Addr, version, o.reason); err != nil {
			return err
		}
		fmt.Fprintf(w.out, "self_improvement.%s: generator v%d is in use now.\n", c.Name, version)
		viewOtherPins(w, c, before, version)
		fmt.Fprintf(w.out, "jupiter plan%s shows what follows from it.\n", p.at())
		return nil
	})
}
