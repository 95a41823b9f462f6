package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"jupiter/plan/config"
	"jupiter/plan/lang"
	"jupiter/runtime"
)

type importOptions struct {
	targetOptions
	cycleOptions
	lockOptions
	reasonOptions
}

func newImportCommand(w *world) *cobra.Command {
	var o importOptions
	cmd := &cobra.Command{
		Use:   "import ADDRESS PATH",
		Short: "Take a model from elsewhere as base generator or as start of a student",
		Long: `Take a model that was made elsewhere: a file or a directory that the stage at ADDRESS can read.

  generator.TYPE.NAME   the model becomes generator_v1 of the block's cycle, which must have no generator yet
  trainer.TYPE.NAME     the cycle's student starts from it; no window may be decided yet

The block's plugin checks the model and turns it into its own format; the file itself is not needed any more.
A plan file can say the same: model = "PATH" of a generator, start = "PATH" of a trainer. What is imported here
is what the plan would have imported.

Exit status: 0 done, 1 error, for example when the model is of another architecture.`,
		Args: func(cmd *cobra.Command, args []string) error { return usage(cobra.ExactArgs(2)(cmd, args)) },
		RunE: func(cmd *cobra.Command, args []string) error {
			return importModel(cmd.Context(), w, &o, args[0], args[1])
		},
	}
	o.targetOptions.addFlags(cmd)
	o.cycleOptions.addFlags(cmd)
	o.lockOptions.addFlags(cmd)
	o.reasonOptions.addFlags(cmd, "reason", "why, for the record")
	return cmd
}

func importModel(ctx context.Context, w *world, o *importOptions, address, path string) (err error) {
	file, err := filepath.Abs(path) // a file on the command line is relative to where the command is typed
	if err != nil {
		return err
	}
	p, err := open(ctx, w, &o.targetOptions, o.path(""), access{write: true, lock: &o.lockOptions, name: "jupiter import", sink: warnings{w}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	c, s, err := p.importer(address, o.cycleOptions)
	if err != nil {
		return err
	}
	if _, err := p.db.Recover(ctx); err != nil {
		return err
	}
	in, err := p.runner.Import(ctx, runtime.ImportOptions{Cycle: c, Stage: s, Path: file, Written: p.written(file), Reason: o.reason})
	if err != nil {
		return err
	}
	fmt.Fprintf(w.out, "Imported %s: %s.\n  of  %s\n  as  %s\n", in.Path, in.What, in.Digest, in.Output)
	if in.Version > 0 {
		fmt.Fprintf(w.out, "It is generator_v%d of self_improvement.%s now.", in.Version, c.Name)
	} else {
		fmt.Fprintf(w.out, "The student of self_improvement.%s starts from it.", c.Name)
	}
	fmt.Fprintf(w.out, " jupiter plan%s shows what follows from it.\n", p.at())
	return nil
}

// warnings shows what a plugin has to say about a model, and nothing else that happens.
type warnings struct{ w *world }

func (s warnings) Emit(e runtime.Event) {
	if e.Type == runtime.Warned {
		fmt.Fprintf(s.w.err, "Warning: %s\n", e.Message)
	}
}

// importer finds the stage at an address, and the cycle whose generator or trainer it is.
func (p *project) importer(address string, o cycleOptions) (*config.Cycle, *config.Stage, error) {
	var s *config.Stage
	var names []string
	for _, st := range p.cfg.Stages {
		if string(st.Addr) == address {
			s = st
		}
		if st.Kind == "generator" || st.Kind == "trainer" {
			names = append(names, string(st.Addr))
		}
	}
	switch {
	case s == nil:
		return nil, nil, fmt.Errorf("%s has no %s.%s A model is imported for a generator or a trainer: %s", p.path, address, lang.DidYouMean(address, names), list(names))
	case s.Kind != "generator" && s.Kind != "trainer":
		return nil, nil, fmt.Errorf("%s is no generator and no trainer; a model is imported for one of %s", address, list(names))
	}
	var of []*config.Cycle
	var cycles []string
	for _, c := range p.cfg.Cycles {
		if c.Generator == s || c.Trainer == s {
			of, cycles = append(of, c), append(cycles, c.Name)
		}
	}
	if o.name != "" {
		c, err := p.cycle(o)
		if err == nil && c.Generator != s && c.Trainer != s {
			err = fmt.Errorf("%s is neither generator nor trainer of %s", address, c.Addr)
		}
		return c, s, err
	}
	switch {
	case len(of) == 0 && s.Kind == "trainer":
		return nil, nil, fmt.Errorf("%s is the student of no cycle. A trainer that makes a base generator starts from a model that its block names: start = \"PATH\"", address)
	case len(of) == 0:
		return nil, nil, fmt.Errorf("no cycle begins with %s: name it as generator of a self_improvement block", address)
	case len(of) > 1:
		return nil, nil, usageError{fmt.Errorf("%s begins several cycles; name one with --cycle: %s", address, list(cycles))}
	}
	return of[0], s, nil
}

// written is how the record names a file: relative to the plan's directory where it lies below it.
func (p *project) written(file string) string {
	rel, err := filepath.Rel(p.cfg.Dir, file)
	if err != nil || !filepath.IsLocal(rel) {
		return file
	}
	return filepath.ToSlash(rel)
}
