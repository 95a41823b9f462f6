package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"jupiter/plan/config"
)

type quarantineOptions struct {
	actOptions
	reasonOptions
	version string
}

func newQuarantineCommand(w *world) *cobra.Command {
	var o quarantineOptions
	cmd := &cobra.Command{
		Use:   "quarantine --version N --reason TEXT [DIR|FILE]",
		Short: "Withdraw a generator that is not in use",
		Long: `Withdraw a version of the generator that is not in use: its samples leave the pool in the next turn, and it
cannot become the one in use. jupiter rollback does this to the version in use and goes back to an earlier one.

Exit status: 0 done, 1 error, for example when the version is in use.`,
		Args: maxOneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return quarantine(cmd.Context(), w, &o, arg(args))
		},
	}
	o.targetOptions.addFlags(cmd)
	o.cycleOptions.addFlags(cmd)
	o.lockOptions.addFlags(cmd)
	o.reasonOptions.addFlags(cmd, "reason", "why, for the record; required")
	cmd.Flags().StringVar(&o.version, "version", "", "the version `N` to withdraw; required")
	return cmd
}

func quarantine(ctx context.Context, w *world, o *quarantineOptions, arg string) error {
	version, err := parseVersion("--version", o.version)
	if err != nil {
		return err
	}
	if version == 0 || o.reason == "" {
		return usageError{errors.New("quarantine takes --version N and --reason TEXT: the record of it is what others will read")}
	}
	return act(ctx, w, &o.actOptions, "quarantine", arg, func(ctx context.Context, p *project, c *config.Cycle) error {
		if err := p.runner.Quarantine(ctx, c.Addr, version, o.reason); err != nil {
			return err
		}
		fmt.Fprintf(w.out, "self_improvement.%s: generator v%d is withdrawn. Its samples leave the pool in the next turn.\n", c.Name, version)
		return nil
	})
}
