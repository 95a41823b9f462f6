package main

import (
	"context"
	"errors"
	"maps"

	"github.com/spf13/cobra"

	"jupiter/plan/config"
)

type schemaOptions struct{ chdir string }

func newSchemaCommand(w *world) *cobra.Command {
	var o schemaOptions
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Write the JSON Schema of configuration files in YAML, for editors",
		Long: `Write the JSON Schema (draft 2020-12) of configuration files in YAML, with the stages of all plugins at hand. An
editor that is given it completes names, shows what they mean, and marks mistakes while they are typed:

  jupiter schema > jupiter.schema.json

and at the top of a configuration file:

  # yaml-language-server: $schema=jupiter.schema.json

Exit status: 0 done, 1 error.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return writeSchema(cmd.Context(), w, &o) },
	}
	cmd.Flags().StringVarP(&o.chdir, "chdir", "C", "", "look for plugins as a plan in `DIR` would")
	return cmd
}

func writeSchema(ctx context.Context, w *world, o *schemaOptions) (err error) {
	cfg, files, err := (&targetOptions{chdir: o.chdir}).forPlugins("")
	if err != nil {
		return err
	}
	h, err := newHost(w, cfg.Dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	more, diags, err := addRequired(w, h, cfg)
	if err != nil {
		return err
	} else if diags.HasErrors() {
		maps.Copy(files, more)
		return &configurationError{diags, files}
	}
	stages, err := h.Stages(ctx)
	if err != nil {
		return err
	}
	b, err := config.JSONSchema(stages)
	if err != nil {
		return err
	}
	_, err = w.out.Write(b)
	return err
}
