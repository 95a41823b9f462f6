package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"golang.org/x/mod/module"

	sources "jupiter"
	"jupiter/plugins/scaffold"
	"jupiter/state/durable"
)

type pluginSDKOptions struct {
	chdir string
	lang  string
	json  bool
}

func newPluginSDKCommand(w *world) *cobra.Command {
	var o pluginSDKOptions
	cmd := &cobra.Command{
		Use:   "sdk --lang LANGUAGE DIR",
		Short: "Write the SDK for plugins into a directory, or bring a copy there up to date",
		Long: `Write a copy of the SDK, as this version of the program has it, into DIR: for Go packages of the module
that DIR is part of, for Python a package in DIR/python. A file SDK-LANGUAGE.txt says which version it is,
and which files belong to it. Where DIR has a copy already, this one takes its place; other files stay.

Exit status: 0 written, 1 error.`,
		Args: oneArg,
		RunE: func(_ *cobra.Command, args []string) error {
			return writeSDK(w, &o, (&targetOptions{chdir: o.chdir}).path(args[0]))
		},
	}
	cmd.Flags().StringVarP(&o.chdir, "chdir", "C", "", "work in `DIR`")
	cmd.Flags().StringVar(&o.lang, "lang", "", "the SDK for `LANGUAGE`: go or python")
	addJSON(cmd, &o.json, "plugin-sdk")
	completeWords(cmd, "lang", scaffold.Languages)
	return cmd
}

// sdkWritten is what plugin sdk --json writes.
type sdkWritten struct {
	Schema  string   `json:"schema"`
	Lang    string   `json:"lang"`
	Version string   `json:"version"`
	Dir     string   `json:"dir"`
	Files   []string `json:"files"`   // that belong to the copy
	Removed []string `json:"removed"` // that belonged to the copy before
	Next    []string `json:"next"`    // commands, in the project's directory
}

func writeSDK(w *world, o *pluginSDKOptions, dir string) error {
	if err := oneOf("lang", o.lang, scaffold.Languages); err != nil {
		return err
	}
	var at string
	var lacks []module.Version
	if o.lang == "go" {
		var err error
		if at, lacks, err = scaffold.Home(dir, sources.Source); err != nil {
			return err
		}
	}
	files, err := scaffold.SDK(o.lang, version, at, sources.Source)
	if err != nil {
		return err
	}
	was, err := os.ReadFile(filepath.Join(dir, scaffold.List(o.lang)))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	owned := append(scaffold.Listed(was), scaffold.List(o.lang))
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if _, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(name))); err == nil && !slices.Contains(owned, name) {
			return fmt.Errorf("%s is there already, and belongs to no copy of the SDK; nothing is overwritten", filepath.Join(dir, filepath.FromSlash(name)))
		}
	}
	if _, err := os.Lstat(filepath.Join(dir, "go.mod")); err == nil && o.lang == "go" && !slices.Contains(owned, "go.mod") {
		return fmt.Errorf("%s is a module of its own, and would not be published with the one around it: name a directory below it, or take its go.mod away", dir)
	}
	out := sdkWritten{Schema: "jupiter.plugin-sdk/v1", Lang: o.lang, Version: version, Dir: dir, Removed: []string{}, Next: scaffold.Refreshed(o.lang, lacks)}
	for _, name := range owned {
		if files[name] != nil || !filepath.IsLocal(filepath.FromSlash(name)) {
			continue
		}
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		out.Removed = append(out.Removed, path)
	}
	texts := below(dir, files)
	for _, path := range slices.Sorted(maps.Keys(texts)) {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), durable.Replace(path, texts[path])); err != nil {
			return err
		}
		out.Files = append(out.Files, path)
	}
	if o.json {
		return w.json(out)
	}
	fmt.Fprintf(w.out, "Wrote the SDK of version %s into %s: %d files.\n", version, dir, len(out.Files))
	if len(out.Removed) > 0 {
		fmt.Fprintf(w.out, "Removed %d files that belong to it no more.\n", len(out.Removed))
	}
	fmt.Fprintln(w.out, "\nNext, in the project's directory:")
	for _, c := range out.Next {
		fmt.Fprintf(w.out, "  %s\n", c)
	}
	return nil
}
