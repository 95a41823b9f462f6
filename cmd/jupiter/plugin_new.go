package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	sources "jupiter"
	"jupiter/plan/lang"
	"jupiter/plugins/scaffold"
)

type pluginNewOptions struct {
	chdir string
	lang  string
	kind  string
	dir   string
	path  string // of the module
	json  bool
}

func newPluginNewCommand(w *world) *cobra.Command {
	var o pluginNewOptions
	cmd := &cobra.Command{
		Use:   "new --lang LANGUAGE --kind KIND NAME",
		Short: "Begin a plugin: a project with a stage, its test, and the SDK",
		Long: `Write the project of a plugin NAME with one stage NAME: the stage, its test, a README that says how to
build, test and use it, an example of a plan, and in sdk a copy of the SDK as this version of the
program has it. What the stage does is an example, to be replaced. Nothing is overwritten.

A stage is of one of these kinds:

  collector   reads real records from a source
  generator   runs a model: draws samples, answers questions
  filter      keeps or drops records
  verifier    judges answers: a domain's own knowledge of what is right
  trainer     trains a model, in windows that can be interrupted
  evaluator   makes a benchmark's questions, scores answers to them
  exporter    turns a checkpoint into the files that a generator runs

The project's directory is NAME unless --dir says otherwise.

Exit status: 0 written, 1 error.`,
		Args: oneArg,
		RunE: func(_ *cobra.Command, args []string) error { return newPlugin(w, &o, args[0]) },
	}
	f := cmd.Flags()
	f.StringVarP(&o.chdir, "chdir", "C", "", "work in `DIR`")
	f.StringVar(&o.lang, "lang", "", "write it in `LANGUAGE`: go or python")
	f.StringVar(&o.kind, "kind", "", "the stage is of `KIND`; needed, see above")
	f.StringVar(&o.dir, "dir", "", "the project's directory is `DIR`, relative to that of -C")
	f.StringVar(&o.path, "module", "", "the project in Go is the module `PATH`, by which others fetch it; example.com/jupiter-NAME by default")
	addJSON(cmd, &o.json, "plugin-new")
	completeWords(cmd, "lang", scaffold.Languages)
	completeWords(cmd, "kind", scaffold.Kinds)
	must(cmd.MarkFlagDirname("dir"))
	return cmd
}

// completeWords gives a flag's values to the shell.
func completeWords(cmd *cobra.Command, flag string, words []string) {
	must(cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)))
}

// oneOf says what is wrong with the value of a flag that has to be one of some words.
func oneOf(flag, value string, words []string) error {
	switch {
	case slices.Contains(words, value):
		return nil
	case value == "":
		return usageError{fmt.Errorf("--%s is needed: %s", flag, list(words))}
	}
	return usageError{fmt.Errorf("--%s is one of %s, and not %q.%s", flag, list(words), value, lang.DidYouMean(value, words))}
}

// pluginBegun is what plugin new --json writes.
type pluginBegun struct {
	Schema string   `json:"schema"`
	Name   string   `json:"name"`
	Kind   string   `json:"kind"`
	Lang   string   `json:"lang"`
	Dir    string   `json:"dir"`
	SDK    string   `json:"sdk"`   // the directory
	Files  []string `json:"files"` // without those of the SDK
	Next   []string `json:"next"`  // commands, in the project's directory
}

func newPlugin(w *world, o *pluginNewOptions, name string) error {
	if err := errors.Join(oneOf("lang", o.lang, scaffold.Languages), oneOf("kind", o.kind, scaffold.Kinds)); err != nil {
		return usageError{err}
	}
	if err := scaffold.CheckName(name); err != nil {
		return usageError{err}
	}
	if isBuiltin(name) {
		return usageError{fmt.Errorf("a plugin %q comes with the program, and a plan cannot require another one of that name", name)}
	}
	if o.lang != "go" && o.path != "" {
		return usageError{errors.New("--module is for --lang go")}
	}
	mod := o.path
	if mod == "" {
		mod = "example.com/jupiter-" + name
	}
	if err := scaffold.CheckModule(mod); err != nil {
		return usageError{err}
	}
	dir := o.dir
	if dir == "" {
		dir = name
	}
	dir = (&targetOptions{chdir: o.chdir}).path(dir)
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return fmt.Errorf("the directory %s is there already, and not empty; nothing is overwritten", dir)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	project, err := scaffold.Project(scaffold.Options{Name: name, Kind: o.kind, Language: o.lang, Version: version, Module: mod}, sources.Source)
	if err != nil {
		return err
	}
	sdk, err := scaffold.SDK(o.lang, version, path.Join(mod, "sdk"), sources.Source)
	if err != nil {
		return err
	}
	b := pluginBegun{
		Schema: "jupiter.plugin-new/v1", Name: name, Kind: o.kind, Lang: o.lang, Dir: dir, SDK: filepath.Join(dir, "sdk"),
		Next: scaffold.Commands(o.lang, name),
	}
	if b.Files, err = writeNew(below(dir, project)); err != nil {
		return err
	}
	if _, err = writeNew(below(b.SDK, sdk)); err != nil {
		return err
	}
	if o.json {
		return w.json(b)
	}
	for _, file := range b.Files {
		fmt.Fprintf(w.out, "Wrote %s.\n", file)
	}
	fmt.Fprintf(w.out, "Wrote the SDK of version %s into %s: %d files.\n", version, b.SDK, len(sdk))
	fmt.Fprintf(w.out, "\nWhat the stage does is an example, to be replaced. Next, in %s:\n  %s\n", dir, strings.Join(b.Next, "\n  "))
	return nil
}

// below gives files by their paths in a directory.
func below(dir string, files map[string][]byte) map[string][]byte {
	out := make(map[string][]byte, len(files))
	for name, text := range files {
		out[filepath.Join(dir, filepath.FromSlash(name))] = text
	}
	return out
}
