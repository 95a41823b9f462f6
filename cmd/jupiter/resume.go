package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"jupiter/plan"
	"jupiter/plan/config"
)

type resumeOptions struct {
	actOptions
	reasonOptions
}

func newResumeCommand(w *world) *cobra.Command {
	var o resumeOptions
	cmd := &cobra.Command{
		Use:   "resume --ack WHY [DIR|FILE]",
		Short: "Release a cycle that the collapse guard has stopped, or that has converged",
		Long: `Release a cycle that the collapse guard has stopped, or that came to an end by itself (converged, or at its
ceiling). It goes on for one more cycle at least; the guard looks at that one too.

Exit status: 0 done, 1 error, for example when the cycle has not ended.`,
		Args: maxOneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return resume(cmd.Context(), w, &o, arg(args))
		},
	}
	o.targetOptions.addFlags(cmd)
	o.cycleOptions.addFlags(cmd)
	o.lockOptions.addFlags(cmd)
	o.reasonOptions.addFlags(cmd, "ack", "why it may go on, for the record; needed")
	return cmd
}

func resume(ctx context.Context, w *world, o *resumeOptions, arg string) error {
	if err := o.need("ack"); err != nil {
		return err
	}
	return act(ctx, w, &o.actOptions, "resume", arg, func(ctx context.Context, p *project, c *config.Cycle) error {
		f, err := p.runner.Facts(ctx, c.Addr)
		if err != nil {
			return err
		}
		switch end, why := f.End(c); end {
		case plan.Halted, plan.Converged, plan.Ceiling:
		case plan.Running:
			return fmt.Errorf("self_improvement.%s has not ended; there is nothing to release", c.Name)
		default:
			return fmt.Errorf("self_improvement.%s: %s; that is not what resume is for", c.Name, why)
		}
		if err := p.runner.Resume(ctx, c.Addr, o.reason); err != nil {
			return err
		}
		fmt.Fprintf(w.out, "self_improvement.%s is released.\njupiter apply%s goes on.\n", c.Name, p.at())
		return nil
	})
}
