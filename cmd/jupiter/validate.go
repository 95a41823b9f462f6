package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"
)

type validateOptions struct {
	targetOptions
	json bool
}

func newValidateCommand(w *world) *cobra.Command {
	var o validateOptions
	cmd := &cobra.Command{
		Use:   "validate [DIR|FILE]",
		Short: "Check the configuration; nothing is read of the state",
		Long: `Read the configuration, apply every rule to it, and let the plugins judge what it says to them.

Exit status: 0 it can be used, 1 it cannot, or another error.`,
		Args: maxOneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return validate(cmd.Context(), w, &o, arg(args))
		},
	}
	o.addFlags(cmd)
	addJSON(cmd, &o.json, "validate")
	return cmd
}

func validate(ctx context.Context, w *world, o *validateOptions, arg string) (err error) {
	l, err := load(ctx, w, &o.targetOptions, o.path(arg))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.host.Close()) }()
	v := newValidation(l.diags)
	if o.json {
		if err := w.json(v); err != nil {
			return err
		}
	} else {
		w.diagnostics(l.files, l.diags)
		viewValidation(w, l.path, v)
	}
	if !v.Valid {
		return code(exitError)
	}
	return nil
}

func viewValidation(w *world, path string, v validation) {
	switch {
	case !v.Valid:
		fmt.Fprintf(w.out, "%s cannot be used: %s, %s.\n", path, plural(v.Errors, "error"), plural(v.Warnings, "warning"))
	case v.Warnings > 0:
		fmt.Fprintf(w.out, "%s is valid, with %s.\n", path, plural(v.Warnings, "warning"))
	default:
		fmt.Fprintf(w.out, "%s is valid.\n", path)
	}
}

// validation is what validate says.
type validation struct {
	Schema      string       `json:"schema"`
	Valid       bool         `json:"valid"`
	Errors      int          `json:"error_count"`
	Warnings    int          `json:"warning_count"`
	Diagnostics []diagnostic `json:"diagnostics"`
}

type diagnostic struct {
	Severity string       `json:"severity"` // error, warning
	Summary  string       `json:"summary"`
	Detail   string       `json:"detail"`
	Range    *sourceRange `json:"range"` // null: it has no place in the source
}

type sourceRange struct {
	File  string   `json:"file"`
	Start position `json:"start"`
	End   position `json:"end"`
}

// position counts from 1, columns in characters.
type position struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

func newValidation(diags hcl.Diagnostics) validation {
	v := validation{Schema: "jupiter.validate/v1", Valid: !diags.HasErrors(), Diagnostics: []diagnostic{}}
	for _, d := range diags {
		out := diagnostic{Severity: "error", Summary: d.Summary, Detail: d.Detail}
		if d.Severity == hcl.DiagWarning {
			out.Severity = "warning"
			v.Warnings++
		} else {
			v.Errors++
		}
		if r := d.Subject; r != nil {
			out.Range = &sourceRange{r.Filename, position{r.Start.Line, r.Start.Column}, position{r.End.Line, r.End.Column}}
		}
		v.Diagnostics = append(v.Diagnostics, out)
	}
	return v
}
