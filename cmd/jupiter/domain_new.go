package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/spf13/cobra"

	"jupiter/domains/starter"
	"jupiter/plan/config"
)

type domainNewOptions struct {
	chdir    string
	dir      string
	language string
	json     bool
}

func newDomainNewCommand(w *world) *cobra.Command {
	var o domainNewOptions
	cmd := &cobra.Command{
		Use:   "new NAME",
		Short: "Begin a domain: its directory, starter data, and a plan that uses it",
		Long: `Write the directory of a domain, and beside it NAME.jupiter.hcl, a plan that uses it. Both can be
validated, planned and applied at once: the data ask which of two numbers is the larger. They are
computed, and meant to be replaced; the README in the domain's directory says how. Nothing is
overwritten.

The domain's directory is domains/NAME unless --dir says otherwise.

Exit status: 0 written, 1 error.`,
		Args: oneArg,
		RunE: func(_ *cobra.Command, args []string) error { return newDomain(w, &o, args[0]) },
	}
	f := cmd.Flags()
	f.StringVarP(&o.chdir, "chdir", "C", "", "write the plan into `DIR`")
	f.StringVar(&o.dir, "dir", "", "the domain's directory is `DIR`, relative to the plan's")
	f.StringVar(&o.language, "language", "en", "the `LANGUAGE` of the domain's texts, such as en or es")
	addJSON(cmd, &o.json, "domain-new")
	return cmd
}

// begun is what domain new --json writes.
type begun struct {
	Schema string   `json:"schema"`
	Name   string   `json:"name"`
	Dir    string   `json:"dir"`  // of the domain
	Plan   string   `json:"plan"` // the file
	Files  []string `json:"files"`
	Next   []string `json:"next"` // commands
}

func newDomain(w *world, o *domainNewOptions, name string) error {
	if !hclsyntax.ValidIdentifier(name) {
		return usageError{fmt.Errorf("%q cannot be a name: a name starts with a letter and has letters, digits, _ and -", name)}
	}
	if !config.IsLanguage(o.language) {
		return usageError{fmt.Errorf("%q is no language: write en, es or pt-BR", o.language)}
	}
	project := (&targetOptions{chdir: o.chdir}).path("")
	dir := o.dir
	if dir == "" {
		dir = filepath.Join("domains", name)
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(project, dir)
	}
	if err := vacant(dir); err != nil {
		return err
	}
	source, err := relative(project, dir)
	if err != nil {
		return err
	}
	if source == "." {
		return usageError{errors.New("the domain's directory is a module of its own, and cannot be the plan's")}
	}
	if !strings.HasPrefix(source, "../") && source != ".." {
		source = "./" + source
	}
	so := starter.Options{Name: name, Language: o.language, Dir: source}
	b := begun{Schema: "jupiter.domain-new/v1", Name: name, Dir: dir, Plan: filepath.Join(project, name+".jupiter.hcl")}
	files := map[string][]byte{b.Plan: starter.Plan(so)}
	for base, text := range starter.Domain(so) {
		files[filepath.Join(dir, base)] = text
	}
	if b.Files, err = writeNew(files); err != nil {
		return err
	}
	at := ""
	if project != "." {
		at = " " + project
	}
	b.Next = []string{"jupiter validate" + at, "jupiter plan" + at, "jupiter apply" + at}
	if o.json {
		return w.json(b)
	}
	viewBegun(w, b)
	return nil
}

func viewBegun(w *world, b begun) {
	for _, path := range b.Files {
		fmt.Fprintf(w.out, "Wrote %s.\n", path)
	}
	fmt.Fprintf(w.out, "\nThe data are starter data, to be replaced: %s says how.\nNext:\n", filepath.Join(b.Dir, "README.md"))
	for _, c := range b.Next {
		fmt.Fprintf(w.out, "  %s\n", c)
	}
}
