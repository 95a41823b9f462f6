package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"jupiter/plan"
)

type graphOptions struct {
	targetOptions
	format string
	json   bool
}

func newGraphCommand(w *world) *cobra.Command {
	var o graphOptions
	cmd := &cobra.Command{
		Use:   "graph [DIR|FILE]",
		Short: "Draw the actions of the next cycle and what they hand to each other",
		Long: `Write the actions that jupiter plan lists as a graph, with their operations: in DOT for Graphviz, or for Mermaid.
An edge leads from what gives an artifact to what reads it. A cycle that has ended plans nothing; its
pipeline is drawn as it is configured, without operations, and the standard error says so.

  jupiter graph | dot -Tsvg > plan.svg

Exit status: 0 done, 1 error.`,
		Args: maxOneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return drawGraph(cmd.Context(), w, &o, arg(args))
		},
	}
	o.addFlags(cmd)
	addJSON(cmd, &o.json, "graph")
	cmd.Flags().StringVar(&o.format, "format", "dot", "write `FORMAT`: dot or mermaid")
	cmd.MarkFlagsMutuallyExclusive("format", "json")
	return cmd
}

// graphOutput is what graph --json writes.
type graphOutput struct {
	Schema string `json:"schema"`
	*plan.Graph
}

func drawGraph(ctx context.Context, w *world, o *graphOptions, arg string) error {
	if o.format != "dot" && o.format != "mermaid" {
		return usageError{fmt.Errorf("--format is dot or mermaid, and not %q", o.format)}
	}
	return reading(ctx, w, &o.targetOptions, arg, func(p *project) error {
		g, err := p.runner.Graph(ctx)
		if err != nil {
			return err
		}
		for _, c := range g.Cycles {
			if c.Terminal != plan.Running {
				fmt.Fprintf(w.err, "self_improvement.%s plans nothing (%s): %s. Its pipeline is drawn as it is configured.\n", c.Cycle, c.Terminal, c.Why)
			}
		}
		switch {
		case o.json:
			return w.json(graphOutput{"jupiter.graph/v1", g})
		case o.format == "mermaid":
			viewMermaid(w.out, g)
		default:
			viewDOT(w.out, g)
		}
		return nil
	})
}
