package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"jupiter/state"
)

type stateCheckOptions struct {
	stateOptions
	contents bool
}

func newStateCheckCommand(w *world) *cobra.Command {
	var o stateCheckOptions
	cmd := &cobra.Command{
		Use:   "check [DIR|FILE]",
		Short: "Prove the state's invariants",
		Long: `Prove the invariants of the state: those of docs/invariants.md that are musts (M), and those that hold but for
a moment (S), which a killed process may leave violated and the next apply puts right.

Exit status: 0 every must holds, 1 one does not, or another error.`,
		Args: maxOneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return reading(cmd.Context(), w, &o.targetOptions, arg(args), func(p *project) error { return checkState(cmd.Context(), p, &o) })
		},
	}
	o.addFlags(cmd)
	addJSON(cmd, &o.json, "state-check")
	cmd.Flags().BoolVar(&o.contents, "contents", false, "read every artifact too, and compare it with its digest")
	return cmd
}

// stateCheck is what state check --json writes.
type stateCheck struct {
	Schema     string            `json:"schema"`
	OK         bool              `json:"ok"` // every must holds
	Violations []state.Violation `json:"violations"`
}

func checkState(ctx context.Context, p *project, o *stateCheckOptions) error {
	found, err := p.db.Check(ctx)
	if err != nil {
		return err
	}
	if o.contents {
		more, err := p.db.CheckContents(ctx)
		if err != nil {
			return err
		}
		found = append(found, more...)
	}
	c := stateCheck{Schema: "jupiter.state-check/v1", OK: true, Violations: []state.Violation{}}
	for _, v := range found {
		c.Violations = append(c.Violations, v)
		c.OK = c.OK && !v.Must()
	}
	if o.json {
		if err := p.w.json(c); err != nil {
			return err
		}
	} else {
		viewCheck(p.w, c)
	}
	if !c.OK {
		return code(exitError)
	}
	return nil
}

func viewCheck(w *world, c stateCheck) {
	for _, v := range c.Violations {
		fmt.Fprintln(w.out, v)
	}
	switch {
	case !c.OK:
		fmt.Fprintln(w.out, "The state is damaged: a must does not hold.")
		if slices.ContainsFunc(c.Violations, func(v state.Violation) bool { return v.Invariant == "M2" }) {
			fmt.Fprintln(w.out, "jupiter artifact verify says what made the artifacts that are gone, and what needs them.")
		}
	case len(c.Violations) > 0:
		fmt.Fprintln(w.out, "Every must holds. The next apply puts the rest right.")
	default:
		fmt.Fprintln(w.out, "Every invariant holds.")
	}
}
