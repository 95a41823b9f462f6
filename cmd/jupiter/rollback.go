package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"jupiter/plan/config"
	"jupiter/runtime"
)

type rollbackOptions struct {
	actOptions
	reasonOptions
	to          string
	keepStudent bool
}

func newRollbackCommand(w *world) *cobra.Command {
	var o rollbackOptions
	cmd := &cobra.Command{
		Use:   "rollback [DIR|FILE]",
		Short: "Make an earlier generator the one in use",
		Long: `Make the generator before the one in use current again, or the one that --to names. Every later version is
withdrawn: its samples leave the pool, and it cannot become current again. The student goes back to what it was
before the first of them was promoted. Looks at the gate pool stay spent.

Exit status: 0 done, 1 error, for example when there is no earlier generator.`,
		Args: maxOneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return rollback(cmd.Context(), w, &o, arg(args))
		},
	}
	o.targetOptions.addFlags(cmd)
	o.cycleOptions.addFlags(cmd)
	o.lockOptions.addFlags(cmd)
	o.reasonOptions.addFlags(cmd, "reason", "why, for the record")
	cmd.Flags().StringVar(&o.to, "to", "", "the version `N` to go back to")
	cmd.Flags().BoolVar(&o.keepStudent, "keep-student", false, "leave the student as it is")
	return cmd
}

func rollback(ctx context.Context, w *world, o *rollbackOptions, arg string) error {
	to, err := parseVersion("--to", o.to)
	if err != nil {
		return err
	}
	return act(ctx, w, &o.actOptions, "rollback", arg, func(ctx context.Context, p *project, c *config.Cycle) error {
		before, err := p.runner.Facts(ctx, c.Addr)
		if err != nil {
			return err
		}
		now, err := p.runner.Rollback(ctx, c.Addr, runtime.RollbackOptions{To: to, KeepStudent: o.keepStudent, Reason: o.reason})
		if err != nil {
			return err
		}
		student := "The student goes back too."
		if o.keepStudent {
			student = "The student stays as it is."
		}
		fmt.Fprintf(w.out, "self_improvement.%s: generator v%d is in use again, in place of v%d. %s\n", c.Name, now, before.Current, student)
		viewOtherPins(w, c, before, now)
		fmt.Fprintf(w.out, "jupiter plan%s shows what follows from it.\n", p.at())
		return nil
	})
}

// parseVersion reads a version as people write it: 2, v2 or generator_v2. "" is 0: none was given.
func parseVersion(flag, text string) (uint64, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(strings.TrimPrefix(strings.TrimPrefix(text, "generator_"), "v"), 10, 64)
	if err == nil && n == 0 {
		err = errors.New("versions count from 1")
	}
	if err != nil {
		return 0, usageError{fmt.Errorf("%s %q is not a version such as 2 or v2", flag, text)}
	}
	return n, nil
}
