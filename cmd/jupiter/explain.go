package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"jupiter/plan"
	"jupiter/plan/addr"
	"jupiter/plan/lang"
)

type explainOptions struct {
	targetOptions
	json bool
}

func newExplainCommand(w *world) *cobra.Command {
	var o explainOptions
	cmd := &cobra.Command{
		Use:   "explain ADDRESS",
		Short: "Say why a line of the plan would run or not",
		Long: `Say why the action at an address of the next plan would run or not, and list all that its result
depends on: each part of its identity, its value, what was recorded, where it is written, and what a
change of it does.

  rerun      the action starts over
  advance    it goes on from what is there
  none       nothing: the part is operational

Exit status: 0 done, 1 error.`,
		Args: oneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return explain(cmd.Context(), w, &o, args[0])
		},
	}
	o.addFlags(cmd)
	addJSON(cmd, &o.json, "explain")
	return cmd
}

// explanation is what explain --json writes.
type explanation struct {
	Schema string `json:"schema"`
	*plan.Explanation
}

func explain(ctx context.Context, w *world, o *explainOptions, address string) (err error) {
	p, err := open(ctx, w, &o.targetOptions, o.path(""), access{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	at, err := addr.Parse(address)
	if err != nil {
		return usageError{err}
	}
	e, all, err := p.runner.Explain(ctx, at)
	if err != nil {
		return p.placed(err)
	}
	if e == nil {
		return fmt.Errorf("the next plan has no %s, and nothing is recorded there.%s jupiter plan%s lists the addresses", address, instead(at, all), p.at())
	}
	if o.json {
		return w.json(explanation{"jupiter.explain/v1", e})
	}
	viewExplanation(w.out, e)
	return nil
}

// instead names what may have been meant: the first addresses below the one that was given, else one that is close.
func instead(at addr.Address, all []string) string {
	var below []string
	for _, a := range all {
		if addr.Address(a).Under(at) {
			below = append(below, a)
		}
	}
	slices.Sort(below)
	if below = slices.Compact(below); len(below) == 0 {
		return lang.DidYouMean(string(at), all)
	}
	text := " Below it are " + strings.Join(below[:min(5, len(below))], ", ")
	if n := len(below) - 5; n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text + "."
}

func viewExplanation(out io.Writer, e *plan.Explanation) {
	fmt.Fprintf(out, "%s: %s\n", e.Address, e.Title)
	fmt.Fprintf(out, "  %s\n", explainedOp(e))
	rows := make([][]string, len(e.Parts))
	for i, p := range e.Parts {
		value, was := "–", "–"
		switch {
		case p.Value != nil && p.Was != nil && *p.Was == *p.Value:
			value, was = cell(*p.Value), "the same"
		case p.Value != nil && p.Was != nil:
			w, v := plan.Brief(*p.Was, *p.Value, cellWidth)
			value, was = cell(v), cell(w)
		case p.Value != nil:
			value = cell(*p.Value)
		case p.From != "":
			value = "known after " + p.From
		}
		if p.Value == nil && p.Was != nil {
			was = cell(*p.Was)
		}
		where := ""
		if p.File != "" {
			where = fmt.Sprintf("%s:%d", p.File, p.Line)
		}
		rows[i] = []string{p.Name, value, was, p.Effect, where}
	}
	if len(rows) == 0 {
		return
	}
	fmt.Fprintln(out)
	table(out, "  ", []string{"part", "value", "recorded", "a change", "written in"}, rows)
	if e.ID != "" {
		fmt.Fprintf(out, "\n  ID       %s\n  lineage  %s\n", e.ID, e.Lineage)
	}
}

// explainedOp is what would be done, with its reasons.
func explainedOp(e *plan.Explanation) string {
	if e.Op == plan.NoOp {
		return "Nothing is to be done: its result is recorded."
	}
	var why []string
	for _, r := range e.Reasons {
		if t := reasonText(r); t != "" {
			why = append(why, t)
		}
	}
	text := string(e.Op)
	switch {
	case len(why) > 0:
		text += ": " + strings.Join(why, "; ")
	case e.Unknown:
		text += ", if an input comes out otherwise than before"
	}
	return capital(text) + "."
}

// cellWidth is how many characters of a value a table has room for.
const cellWidth = 40

// cell is a value as a table has room for it, on one line.
func cell(v string) string {
	v = shown(v)
	if r := []rune(v); len(r) > cellWidth {
		return string(r[:cellWidth-1]) + "…"
	}
	return v
}
