package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"jupiter/state"
)

type stateRestoreOptions struct {
	careOptions
	yes bool
}

func newStateRestoreCommand(w *world) *cobra.Command {
	var o stateRestoreOptions
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Put a copy of the state back in its place",
		Long: `Put a copy of the state back: one of jupiter state backup, or one that an apply has left in backups. It works where
the state is damaged. What is replaced is kept in backups, and its path is said. Artifacts that were removed since the
copy was made stay removed: they are counted, and a plan makes again what it needs. A copy of another project's state is
refused. Plans that were saved before are stale.

Exit status: 0 done, 1 error.`,
		Args: oneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return changing(cmd.Context(), w, &o.careOptions, "state restore", func(p *project) error { return restoreState(cmd.Context(), p, &o, args[0]) })
		},
	}
	o.addFlags(cmd)
	cmd.Flags().BoolVar(&o.yes, "yes", false, "do not ask")
	return cmd
}

func restoreState(ctx context.Context, p *project, o *stateRestoreOptions, path string) error {
	if !o.yes {
		if err := ask(ctx, p.w, fmt.Sprintf("Do you want Jupiter to put %s in the place of %s?", path, p.db.Path()),
			"to replace the state needs a yes, and there is no terminal to ask at: give --yes"); err != nil {
			return err
		}
	}
	replaced, err := p.db.Restore(ctx, path)
	if errors.Is(err, state.ErrNewer) {
		return fmt.Errorf("%w; nothing was replaced", err)
	} else if err != nil {
		return err
	}
	fmt.Fprintf(p.w.out, "The state is that of %s now.\n", path)
	if replaced != "" {
		fmt.Fprintf(p.w.out, "What it was before is kept as %s\n", replaced)
	}
	if _, err := p.db.RepairLinks(ctx); err != nil {
		return err
	}
	found, err := p.db.Check(ctx)
	if err != nil {
		return err
	}
	lost, broken := 0, 0
	for _, v := range found {
		switch {
		case v.Invariant == "M2":
			lost++
		case v.Must():
			fmt.Fprintln(p.w.err, v)
			broken++
		}
	}
	if lost > 0 {
		fmt.Fprintf(p.w.out, "%s that it names %s gone. jupiter plan%s says what is made again; jupiter artifact gc forgets the rest.\n", plural(lost, "artifact"), isAre(lost), p.at())
	}
	if broken > 0 {
		return fmt.Errorf("%s has %s; jupiter state check says more", path, plural(broken, "violated must"))
	}
	return nil
}
