package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"jupiter/plan/planfile"
)

type showOptions struct{ json bool }

func newShowCommand(w *world) *cobra.Command {
	var o showOptions
	cmd := &cobra.Command{
		Use:   "show PLANFILE",
		Short: "Show a saved plan",
		Long: `Show what jupiter plan --out saved, and what it was made from. Nothing but the file is read: no
configuration, no state, and no plugin is started.

Exit status: 0 done, 1 error.`,
		Args: oneArg,
		RunE: func(_ *cobra.Command, args []string) error {
			return show(w, &o, args[0])
		},
	}
	addJSON(cmd, &o.json, "show")
	return cmd
}

// shownPlan is what show --json writes.
type shownPlan struct {
	Schema string        `json:"schema"`
	Base   planfile.Base `json:"base"`
	Plan   any           `json:"plan"`
}

func show(w *world, o *showOptions, path string) error {
	f, err := planfile.Read(path)
	if err != nil {
		return err
	}
	if o.json {
		return w.json(shownPlan{"jupiter.show/v1", f.Base, f.Plan})
	}
	viewPlan(w, f.Plan)
	where := "before there was any state"
	if f.Base.Lineage != "" {
		where = fmt.Sprintf("from state %s, serial %d", f.Base.Lineage, f.Base.Serial)
	}
	fmt.Fprintf(w.out, "\nMade by version %s %s. jupiter apply %s does it, or refuses where that has changed.\n", f.Base.Version, where, path)
	return nil
}
