package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"

	"jupiter/plan/config"
	"jupiter/plan/config/older"
)

type domainImportOptions struct {
	chdir string
	out   string
	json  bool
}

// exitToMend: the files were written, and the rules find errors in them that somebody has to mend.
const exitToMend = 2

func newDomainImportCommand(w *world) *cobra.Command {
	var o domainImportOptions
	cmd := &cobra.Command{
		Use:   "import FILE|DIR",
		Short: "Write the older form of a domain or a cluster as HCL",
		Long: `Read a file of the older form, or the config/cluster.yaml and config/domains/*.yaml of a project in DIR,
write it as HCL, and report what the rules find in what was written. Nothing is overwritten. What could
not be carried over is a comment in the HCL and a warning.

One domain's file becomes a module: its directory is domains/NAME unless --out says otherwise. A
cluster's file, or a project, becomes the files of one directory, imported unless --out says otherwise.

Exit status: 0 written, and the rules find no error; 1 error, and nothing is written; 2 written, and the
rules find errors to be mended.`,
		Args: oneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return importDomain(cmd.Context(), w, &o, args[0])
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.chdir, "chdir", "C", "", "work in `DIR`")
	f.StringVar(&o.out, "out", "", "write into `DIR`")
	addJSON(cmd, &o.json, "domain-import")
	return cmd
}

// imported is what domain import --json writes.
type imported struct {
	Schema string   `json:"schema"`
	Files  []string `json:"files"`
	validation
}

// olderInput is one file to be imported.
type olderInput struct {
	path string
	src  []byte
	name string // of the file that it becomes
	file *older.File
}

func importDomain(ctx context.Context, w *world, o *domainImportOptions, arg string) error {
	from := (&targetOptions{chdir: o.chdir}).path(arg)
	base, inputs, err := olderInputs(from)
	if err != nil {
		return err
	}
	files := config.Files{}
	out, diags, err := translate(o, base, inputs, files)
	if err != nil {
		return err
	}
	if diags.HasErrors() {
		return &configurationError{diags, files}
	}
	written, err := writeImport(out, inputs)
	if err != nil {
		return err
	}
	l, err := load(ctx, w, &targetOptions{}, out)
	if err != nil {
		return err
	}
	for name, f := range l.files {
		files[name] = f
	}
	diags = append(diags, l.diags...)
	if err := l.host.Close(); err != nil {
		return err
	}
	return reportImport(w, o, out, written, files, diags)
}

// olderInputs finds the files to be imported, and the directory that their paths are relative to.
func olderInputs(from string) (base string, inputs []*olderInput, err error) {
	info, err := os.Stat(from)
	if err != nil {
		return "", nil, fmt.Errorf("there is no file or directory %s", from)
	}
	paths := []string{from}
	if info.IsDir() {
		base, paths = from, nil
		for _, name := range config.OlderFiles(from) {
			paths = append(paths, filepath.Join(from, name))
		}
		if len(paths) == 0 {
			return "", nil, fmt.Errorf("%s has neither config/cluster.yaml nor config/domains/*.yaml; name a file of the older form", from)
		}
	} else {
		if config.IsFile(filepath.Base(from)) {
			return "", nil, fmt.Errorf("%s is of the present form already", from)
		}
		base = olderBase(from)
	}
	for _, path := range paths {
		src, err := config.ReadFile(path)
		if err != nil {
			return "", nil, err
		}
		inputs = append(inputs, &olderInput{path: path, src: src})
	}
	return base, inputs, nil
}

// olderBase is the directory that paths in an older file are relative to: its project's, where it lies in one.
func olderBase(path string) string {
	dir := filepath.Dir(path)
	above := func(d string) string { return filepath.Join(d, "..") }
	abs, err := filepath.Abs(dir)
	if err != nil {
		return dir
	}
	switch {
	case filepath.Base(abs) == "config":
		return above(dir)
	case filepath.Base(abs) == "domains" && filepath.Base(filepath.Dir(abs)) == "config":
		return above(above(dir))
	}
	return dir
}

// translate reads the files, twice: where they go to decides how their paths are spelled, and their names decide where
// they go to.
func translate(o *domainImportOptions, base string, inputs []*olderInput, files config.Files) (out string, diags hcl.Diagnostics, err error) {
	read := func(rel string) {
		diags = nil
		for _, in := range inputs {
			f, source, more := config.Older(in.src, filepath.ToSlash(in.path), rel)
			in.file, files[filepath.ToSlash(in.path)] = f, source
			diags = append(diags, more...)
		}
	}
	if read("."); diags.HasErrors() {
		return "", diags, nil
	}
	out = filepath.Join(o.chdir, nameFiles(inputs))
	if o.out != "" {
		out = (&targetOptions{chdir: o.chdir}).path(o.out)
	}
	if found := config.OlderFiles(out); len(found) > 0 {
		return "", nil, fmt.Errorf("%s is read with its %s, which the written files would repeat: choose another directory with --out, or move its config directory away first", out, found[0])
	}
	rel, err := relative(out, base)
	if err != nil {
		return "", nil, err
	}
	read(rel)
	if len(inputs) == 1 && len(inputs[0].file.Names("domain")) == 1 && len(inputs[0].file.Blocks) == 1 {
		inputs[0].file.Publish()
	}
	return out, diags, nil
}

// nameFiles names what each input becomes, and gives the directory that it all goes to by default.
func nameFiles(inputs []*olderInput) string {
	taken := map[string]bool{}
	for _, in := range inputs {
		name := "cluster"
		if domains := in.file.Names("domain"); len(domains) > 0 {
			name = domains[0]
		}
		for n, first := 2, name; taken[name]; n++ {
			name = fmt.Sprintf("%s_%d", first, n)
		}
		taken[name] = true
		in.name = name + ".jupiter.hcl"
	}
	if in := inputs[0]; len(inputs) == 1 && len(in.file.Blocks) == 1 && len(in.file.Names("domain")) == 1 {
		in.name = "domain.jupiter.hcl"
		return filepath.Join("domains", in.file.Names("domain")[0])
	}
	return "imported"
}

// relative is the path from one directory to another, with slashes.
func relative(from, to string) (string, error) {
	a, err := filepath.Abs(from)
	if err != nil {
		return "", err
	}
	b, err := filepath.Abs(to)
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel(a, b)
	return filepath.ToSlash(rel), err
}

// writeImport writes the files, where none of them is there.
func writeImport(out string, inputs []*olderInput) ([]string, error) {
	files := map[string][]byte{}
	for _, in := range inputs {
		files[filepath.Join(out, in.name)] = in.file.HCL()
	}
	return writeNew(files)
}

// writeNew writes files that are not there yet, all or, where one is, none. It gives their paths in order.
func writeNew(files map[string][]byte) ([]string, error) {
	paths := slices.Sorted(maps.Keys(files))
	for _, path := range paths {
		if _, err := os.Lstat(path); err == nil {
			return nil, fmt.Errorf("%s is there already, and nothing is overwritten", path)
		} else if !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	for _, path := range paths {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, err
		}
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return nil, err
		}
		if _, err := f.Write(files[path]); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		if err := f.Close(); err != nil {
			return nil, err
		}
	}
	return paths, nil
}

func reportImport(w *world, o *domainImportOptions, out string, written []string, files config.Files, diags hcl.Diagnostics) error {
	v := imported{Files: slices.Clone(written), validation: newValidation(files, diags)}
	v.Schema = "jupiter.domain-import/v1"
	status := exitDone
	if !v.Valid {
		status = exitToMend
	}
	if o.json {
		return errors.Join(w.json(v), code(status))
	}
	for _, path := range written {
		fmt.Fprintf(w.out, "Wrote %s.\n", path)
	}
	w.diagnostics(files, diags)
	if v.Valid {
		fmt.Fprintf(w.out, "\n%s is valid%s.\n", out, withWarnings(v.Warnings))
	} else {
		fmt.Fprintf(w.out, "\n%s has %s to be mended. jupiter validate %s shows what is left.\n", out, plural(v.Errors, "error"), out)
	}
	return code(status)
}

func withWarnings(n int) string {
	if n == 0 {
		return ""
	}
	return ", with " + plural(n, "warning")
}
