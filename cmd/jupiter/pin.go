package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"jupiter/plan"
	"jupiter/plan/config"
)

type pinOptions struct {
	actOptions
	reasonOptions
	to      string
	release bool
}

func newPinCommand(w *world) *cobra.Command {
	var o pinOptions
	cmd := &cobra.Command{
		Use:   "pin [DIR|FILE]",
		Short: "Hold the generator at its version",
		Long: `Hold a cycle at the generator in use, or at the version that --to names, which becomes the one in use.
Students are trained and scored as before, and none is promoted, until jupiter pin --release.

The configuration says the same to everybody with pin_generator = VERSION, and that holds over a pin by hand.

Exit status: 0 done, 1 error, for example when there is no such version.`,
		Args: maxOneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return pin(cmd.Context(), w, &o, arg(args))
		},
	}
	o.targetOptions.addFlags(cmd)
	o.cycleOptions.addFlags(cmd)
	o.lockOptions.addFlags(cmd)
	o.reasonOptions.addFlags(cmd, "reason", "why, for the record")
	cmd.Flags().StringVar(&o.to, "to", "", "the version `N` to hold")
	cmd.Flags().BoolVar(&o.release, "release", false, "let the cycle promote again")
	return cmd
}

func pin(ctx context.Context, w *world, o *pinOptions, arg string) error {
	to, err := parseVersion("--to", o.to)
	if err != nil {
		return err
	}
	if o.release && to != 0 {
		return usageError{errors.New("--release lets go of what is pinned, and takes no --to")}
	}
	return act(ctx, w, &o.actOptions, "pin", arg, func(ctx context.Context, p *project, c *config.Cycle) error {
		if o.release {
			held, err := p.runner.Unpin(ctx, c.Addr, o.reason)
			if err != nil {
				return err
			}
			fmt.Fprintf(w.out, "self_improvement.%s: generator v%d is no longer pinned.\n", c.Name, held)
			if c.PinGenerator != 0 {
				fmt.Fprintf(w.out, "The configuration still says pin_generator = %d.\n", c.PinGenerator)
			}
			return nil
		}
		version, err := p.runner.Pin(ctx, c.Addr, to, o.reason)
		if err != nil {
			return err
		}
		fmt.Fprintf(w.out, "self_improvement.%s: generator v%d is pinned. Nothing is promoted until jupiter pin --release.\n", c.Name, version)
		viewOtherPins(w, c, plan.Facts{}, version)
		return nil
	})
}

// viewOtherPins says what becomes of the pins of a cycle after an act that put a version to use: one by hand has ended,
// and one of the configuration holds.
func viewOtherPins(w *world, c *config.Cycle, before plan.Facts, version uint64) {
	if held := before.PinnedByHand(); held != 0 {
		fmt.Fprintf(w.out, "Generator v%d, which was pinned by hand, is no longer pinned.\n", held)
	}
	if c.PinGenerator != 0 && c.PinGenerator != version {
		fmt.Fprintf(w.out, "The configuration says pin_generator = %d, which the next apply goes by.\n", c.PinGenerator)
	}
}
