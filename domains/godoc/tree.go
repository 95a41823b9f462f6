package godoc

import (
	"errors"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// platform selects files as for linux/amd64 without cgo and without experiments.
func platform(goroot string) *build.Context {
	return &build.Context{GOROOT: goroot, GOOS: "linux", GOARCH: "amd64", Compiler: "gc", ReleaseTags: build.Default.ReleaseTags}
}

// Version is what a GOROOT says of itself, such as "go1.26.1".
func Version(goroot string) (string, error) {
	b, err := os.ReadFile(filepath.Join(goroot, "VERSION"))
	if err != nil {
		return "", fmt.Errorf("%s is no GOROOT: %w", goroot, err)
	}
	line, _, _ := strings.Cut(string(b), "\n")
	return strings.TrimSpace(line), nil
}

// source is a package's files, parsed.
type source struct {
	path, name string
	fset       *token.FileSet
	files      []*ast.File
	text       map[*ast.File][]byte
}

// load parses the files of the package in a directory. Test files, and those of other platforms, are not of it.
func load(goroot, dir, path string, mode parser.Mode) (*source, error) {
	b, err := platform(goroot).ImportDir(dir, 0)
	if err != nil {
		return nil, err
	}
	s := &source{path: path, name: b.Name, fset: token.NewFileSet(), text: map[*ast.File][]byte{}}
	for _, name := range b.GoFiles {
		file := filepath.Join(dir, name)
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		f, err := parser.ParseFile(s.fset, file, text, mode|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		s.files, s.text[f] = append(s.files, f), text
	}
	return s, nil
}

// leftOut reports whether a path below GOROOT/src is of no library, or does not type-check.
func leftOut(path string) bool {
	first, _, _ := strings.Cut(filepath.ToSlash(path), "/")
	return slices.Contains([]string{"cmd", "vendor", "builtin", "unsafe"}, first)
}

// packages are the import paths below GOROOT/src that the data are made of, in order.
func packages(goroot string) ([]string, error) {
	root := filepath.Join(goroot, "src")
	var paths []string
	err := filepath.WalkDir(root, func(dir string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() || dir == root {
			return err
		}
		rel, err := filepath.Rel(root, dir)
		if err != nil {
			return err
		}
		if n := d.Name(); n == "testdata" || n[0] == '.' || n[0] == '_' || leftOut(rel) {
			return filepath.SkipDir
		}
		var none *build.NoGoError
		switch b, err := platform(goroot).ImportDir(dir, 0); {
		case errors.As(err, &none):
		case err != nil:
			return err
		case b.Name != "main":
			paths = append(paths, filepath.ToSlash(rel))
		}
		return nil
	})
	slices.Sort(paths)
	return paths, err
}
