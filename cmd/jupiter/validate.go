package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"jupiter/plan/config"
)

type validateOptions struct {
	targetOptions
	json      bool
	stdinFile string
}

func newValidateCommand(w *world) *cobra.Command {
	var o validateOptions
	cmd := &cobra.Command{
		Use:   "validate [DIR|FILE]",
		Short: "Check the configuration; nothing is read of the state",
		Long: `Read the configuration, apply every rule to it, and let the plugins judge what it says to them.

With --stdin-file PATH the standard input is read in place of that file, as an editor wants it for a text
that is not saved; without an argument, the configuration is the one that the file belongs to.

Exit status: 0 it can be used, 1 it cannot, or another error.`,
		Args: maxOneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return validate(cmd.Context(), w, &o, arg(args))
		},
	}
	o.addFlags(cmd)
	addJSON(cmd, &o.json, "validate")
	cmd.Flags().StringVar(&o.stdinFile, "stdin-file", "", "read the text of `PATH`, a configuration file, from the standard input")
	return cmd
}

func validate(ctx context.Context, w *world, o *validateOptions, arg string) (err error) {
	path := o.path(arg)
	if o.stdinFile != "" {
		if path, err = o.unsaved(w, arg); err != nil {
			return err
		}
	}
	l, err := load(ctx, w, &o.targetOptions, path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.host.Close()) }()
	if err := o.used(l); err != nil {
		return err
	}
	v := newValidation(l.files, l.diags)
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

// unsaved reads the standard input in place of a file, and gives the path of the configuration.
func (o *validateOptions) unsaved(w *world, arg string) (string, error) {
	if !config.IsFile(filepath.Base(o.stdinFile)) {
		return "", usageError{fmt.Errorf("%s is not a configuration file: its name must end in .jupiter.hcl or .jupiter.yaml", o.stdinFile)}
	}
	abs, err := filepath.Abs(o.stdinFile)
	if err != nil {
		return "", err
	}
	src, err := config.Read(w.in, "the standard input")
	if err != nil {
		return "", err
	}
	o.overlay = map[string][]byte{abs: src}
	if arg == "" && o.chdir == "" {
		return filepath.Dir(o.stdinFile), nil
	}
	return o.path(arg), nil
}

// used fails where the file that was read from the standard input is no part of the configuration.
func (o *validateOptions) used(l *loaded) error {
	for unsaved := range o.overlay {
		for name := range l.files {
			if abs, err := filepath.Abs(name); err == nil && abs == unsaved {
				return nil
			}
		}
		return fmt.Errorf("%s is no file of the configuration %s", o.stdinFile, l.path)
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
