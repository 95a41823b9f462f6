package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"jupiter/plan/config"
	"jupiter/state/durable"
)

type fmtOptions struct {
	chdir     string
	check     bool
	diff      bool
	recursive bool
}

func newFmtCommand(w *world) *cobra.Command {
	var o fmtOptions
	cmd := &cobra.Command{
		Use:   "fmt [DIR|FILE]...",
		Short: "Lay configuration files out in the usual way",
		Long: `Rewrite the configuration files of directories, or single files, in the usual layout, and list those
that changed. Comments stay. In YAML, whose layout is its author's, only line ends, spaces before them
and the end of the file are put right. - reads HCL from the standard input and writes it to the
standard output.

Exit status: 0 done, 1 error, 2 a file is not laid out so (with --check).`,
		RunE: func(_ *cobra.Command, args []string) error { return format(w, &o, args) },
	}
	f := cmd.Flags()
	f.StringVarP(&o.chdir, "chdir", "C", "", "work in `DIR`")
	f.BoolVar(&o.check, "check", false, "change nothing; exit with 2 where a file would change")
	f.BoolVar(&o.diff, "diff", false, "show what changes")
	f.BoolVarP(&o.recursive, "recursive", "r", false, "directories below too")
	return cmd
}

func format(w *world, o *fmtOptions, args []string) error {
	if len(args) == 1 && args[0] == "-" {
		src, err := config.Read(w.in, "the standard input")
		if err != nil {
			return err
		}
		if changed, err := formatOne(w, o, "-", src); err != nil || !o.check || !changed {
			return err
		}
		return code(exitChanges)
	}
	if len(args) == 0 {
		args = []string{"."}
	}
	var paths []string
	for _, a := range args {
		if !filepath.IsAbs(a) {
			a = filepath.Join(o.chdir, a)
		}
		found, err := o.files(a)
		if err != nil {
			return err
		}
		paths = append(paths, found...)
	}
	changed, failed := false, error(nil)
	for _, p := range paths {
		src, err := config.ReadFile(p)
		if err != nil {
			return err
		}
		c, err := formatOne(w, o, p, src)
		changed = changed || c
		failed = errors.Join(failed, err) // the other files are looked at all the same
	}
	switch {
	case failed != nil:
		return failed
	case o.check && changed:
		return code(exitChanges)
	}
	return nil
}

// files are those of the module at a path, and of the directories below it where that was asked for.
func (o *fmtOptions) files(path string) ([]string, error) {
	if !o.recursive {
		dir, names, err := config.FindModule(path)
		var paths []string
		for _, name := range names {
			if config.IsFile(filepath.Base(name)) { // files of the older form stay as they are
				paths = append(paths, filepath.Join(dir, name))
			}
		}
		return paths, err
	}
	var all []string
	err := filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && p != path && strings.HasPrefix(d.Name(), "."):
			return filepath.SkipDir
		case !d.IsDir() && config.IsFile(d.Name()):
			all = append(all, p)
		}
		return nil
	})
	return all, err
}

// formatOne formats one file, or the standard input, and says whether that changes it.
func formatOne(w *world, o *fmtOptions, path string, src []byte) (bool, error) {
	out, file, diags := config.Format(src, path)
	if diags.HasErrors() {
		w.diagnostics(config.Files{path: file}, diags)
		return false, code(exitError)
	}
	changed := !bytes.Equal(src, out)
	switch {
	case path == "-" && !o.check && !o.diff:
		_, err := w.out.Write(out)
		return changed, err
	case !changed:
		return false, nil
	case o.diff:
		fmt.Fprintf(w.out, "%s", diff.Diff(path, src, path, out))
	default:
		fmt.Fprintln(w.out, path)
	}
	if o.check || path == "-" {
		return true, nil
	}
	return true, durable.Replace(path, out)
}
