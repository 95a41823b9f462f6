package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"jupiter/plan"
	"jupiter/plan/config"
)

type generatorsOptions struct {
	targetOptions
	cycleOptions
	json bool
}

func newGeneratorsCommand(w *world) *cobra.Command {
	var o generatorsOptions
	cmd := &cobra.Command{
		Use:   "generators [DIR|FILE]",
		Short: "List the generators, and which one is in use",
		Long: `List every generator that a cycle has had, with its digest, its score when it was promoted, and where it
came from. Their files are the links below generators.

Exit status: 0 done, 1 error.`,
		Args: maxOneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return showGenerators(cmd.Context(), w, &o, arg(args))
		},
	}
	o.targetOptions.addFlags(cmd)
	o.cycleOptions.addFlags(cmd)
	addJSON(cmd, &o.json, "generators")
	return cmd
}

func showGenerators(ctx context.Context, w *world, o *generatorsOptions, arg string) error {
	return look(ctx, w, &o.targetOptions, o.cycleOptions, arg, func(p *project, c *config.Cycle, f plan.Facts) error {
		origin, err := p.runner.Origin(ctx, c.Addr)
		if err != nil {
			return err
		}
		switch {
		case o.json:
			return w.json(newGeneratorList(f, origin))
		case len(f.Generators) == 0:
			fmt.Fprintf(w.out, "self_improvement.%s has no generator yet; jupiter apply makes the first.\n", c.Name)
		default:
			viewGenerators(w.out, f)
			if origin != "" {
				fmt.Fprintf(w.out, "\ngenerator_v1 was imported from %s.\n", origin)
			}
		}
		return nil
	})
}

// generatorList is what generators --json writes.
type generatorList struct {
	Schema     string          `json:"schema"`
	Current    uint64          `json:"current"`  // 0: none yet
	Imported   string          `json:"imported"` // what generator_v1 was imported from; "": it was not
	Generators []generatorItem `json:"generators"`
}

type generatorItem struct {
	Version    uint64    `json:"version"`
	Base       bool      `json:"base"`
	Digest     string    `json:"digest"`
	CreatedBy  string    `json:"created_by"` // action ID
	Score      *float64  `json:"score"`
	MediaType  string    `json:"media_type"`
	Stage      string    `json:"stage"`
	Checkpoint string    `json:"checkpoint"`
	Epoch      uint64    `json:"epoch"`
	Step       uint64    `json:"step"`
	CreatedAt  time.Time `json:"created_at"`
	Withdrawn  bool      `json:"withdrawn"`
	Reason     string    `json:"reason"`
	Released   bool      `json:"released"`
}

func newGeneratorList(f plan.Facts, origin string) generatorList {
	l := generatorList{Schema: "jupiter.generators/v1", Current: f.Current, Imported: origin, Generators: []generatorItem{}}
	for _, g := range f.Generators {
		l.Generators = append(l.Generators, generatorItem{g.Version, g.Base, g.Digest, g.CreatedBy, g.Score, g.MediaType, g.Stage, g.Checkpoint,
			g.Epoch, g.Step, g.CreatedAt, g.Withdrawn, g.Reason, g.Released})
	}
	return l
}
