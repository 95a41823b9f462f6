package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"jupiter/plan"
	"jupiter/plan/config"
	"jupiter/runtime"
)

type plotOptions struct {
	targetOptions
	cycleOptions
	out string
}

func newPlotCommand(w *world) *cobra.Command {
	var o plotOptions
	cmd := &cobra.Command{
		Use:   "plot [DIR|FILE]",
		Short: "Draw scores and diversity over the cycles",
		Long: `Draw the scores of candidate and generator in use in each cycle, the score that a promotion needed, the
promotions, and below them the diversity of the candidate's raw samples. The name of the file says which
format it has: .png or .svg.

Exit status: 0 done, 1 error, for example when no cycle is decided yet.`,
		Args: maxOneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return plotCommand(cmd.Context(), w, &o, arg(args))
		},
	}
	o.targetOptions.addFlags(cmd)
	o.cycleOptions.addFlags(cmd)
	cmd.Flags().StringVar(&o.out, "out", "jupiter.png", "write to `FILE`")
	return cmd
}

func plotCommand(ctx context.Context, w *world, o *plotOptions, arg string) error {
	format := strings.TrimPrefix(strings.ToLower(filepath.Ext(o.out)), ".")
	if format != "png" && format != "svg" {
		return usageError{fmt.Errorf("--out %s: its name must end in .png or .svg", o.out)}
	}
	return look(ctx, w, &o.targetOptions, o.cycleOptions, arg, func(p *project, c *config.Cycle, f plan.Facts) error {
		if len(f.Decisions) == 0 {
			return fmt.Errorf("self_improvement.%s has no decided cycle yet: there is nothing to draw", c.Name)
		}
		picture, err := drawCycle(c, runtime.NewPipeline(c, f), f.Decisions, format)
		if err != nil {
			return err
		}
		if err := writeFile(o.out, picture); err != nil {
			return err
		}
		fmt.Fprintf(w.out, "Wrote %s: %s of self_improvement.%s.\n", o.out, plural(len(f.Decisions), "cycle"), c.Name)
		return nil
	})
}

// writeFile writes a file that readers see whole, old or new.
func writeFile(path string, b []byte) error {
	temp, err := os.CreateTemp(filepath.Dir(path), ".jupiter-*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	_, err = temp.Write(b)
	if err = errors.Join(err, temp.Chmod(0o644), temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}
