package scaffold

import (
	"bytes"
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// needed are the modules that the Go SDK is built from: those that it imports, and those that these do.
var needed = map[string]bool{ // true: imported by the SDK itself
	"github.com/fatih/color":                    false,
	"github.com/golang/protobuf":                false,
	"github.com/hashicorp/go-hclog":             true,
	"github.com/hashicorp/go-plugin":            true,
	"github.com/hashicorp/yamux":                false,
	"github.com/klauspost/compress":             true,
	"github.com/mattn/go-colorable":             false,
	"github.com/mattn/go-isatty":                false,
	"github.com/oklog/run":                      false,
	"golang.org/x/net":                          false,
	"golang.org/x/sys":                          false,
	"golang.org/x/text":                         false,
	"google.golang.org/genproto/googleapis/rpc": false,
	"google.golang.org/grpc":                    true,
	"google.golang.org/protobuf":                true,
}

// The Go SDK's packages, by their directories below plugins in this repository and in a copy. A copy is part of the module
// that it lies in, and its packages are imported by that module's path: this repository's own is one that no module proxy
// serves, and a module of its own, nested in the author's, would not be published with it.
var packages = map[string]string{
	"sdk":             ".",
	"sdk/certificate": "certificate",
	"sdk/sdktest":     "sdktest",
	"proto/pluginv1":  "pluginv1",
}

// repository is the path that the packages are imported by here.
const repository = "jupiter/plugins/"

// reimport gives the text of a Go file with the SDK's packages imported from a copy, whose own package is imported by path.
func reimport(text []byte, at string) ([]byte, error) {
	for from, to := range packages {
		text = bytes.ReplaceAll(text, []byte(`"`+repository+from+`"`), []byte(`"`+path.Join(at, to)+`"`))
	}
	return format.Source(text) // imports are sorted by their paths
}

// SDK gives the files of a language's SDK, by their paths with slashes below the directory of the copy: those of Go as
// packages of the module that the directory is part of, where at is its import path; those of Python as a package in python.
// List names the one that says what belongs to the copy.
func SDK(language, version, at string, source fs.FS) (map[string][]byte, error) {
	var out map[string][]byte
	var err error
	if language == "python" {
		out, err = pythonSDK(source)
	} else {
		out, err = goSDK(at, source)
	}
	if err != nil {
		return nil, err
	}
	out[List(language)] = list(language, version, slices.Sorted(maps.Keys(out)))
	return out, nil
}

func goSDK(at string, source fs.FS) (map[string][]byte, error) {
	out := map[string][]byte{}
	for from, to := range packages {
		dir := path.Join("plugins", from)
		entries, err := fs.ReadDir(source, dir)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if path.Ext(e.Name()) != ".go" {
				continue
			}
			text, err := fs.ReadFile(source, path.Join(dir, e.Name()))
			if err == nil {
				text, err = reimport(text, at)
			}
			if err != nil {
				return nil, err
			}
			out[path.Join(to, e.Name())] = text
		}
	}
	return out, nil
}

func pythonSDK(source fs.FS) (map[string][]byte, error) {
	const root = "plugins/sdk/python"
	out := map[string][]byte{}
	err := fs.WalkDir(source, root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		out[path.Join("python", strings.TrimPrefix(p, root))], err = fs.ReadFile(source, p)
		return err
	})
	return out, err
}

// List is the file of a copy of the SDK that says which version it is of, and which files belong to it.
func List(language string) string { return "SDK-" + language + ".txt" }

func list(language, version string, names []string) []byte {
	return fmt.Appendf(nil, `The SDK for plugins in %s, as Jupiter %s has it. This is a copy: what is changed here is lost when it is
made anew. The command below, of another version of Jupiter, makes it that version's. DIR is this directory.

    jupiter plugin sdk --lang %s DIR

Files:
%s
`, map[string]string{"go": "Go", "python": "Python"}[language], version, language, strings.Join(names, "\n"))
}

// Listed reads the names of the files that belong to a copy.
func Listed(text []byte) []string {
	_, names, ok := strings.Cut(string(text), "\nFiles:\n")
	if !ok {
		return nil
	}
	return strings.Fields(names)
}

// goModule writes the go.mod and go.sum of a module that has a copy of the SDK, with the versions that this repository has.
func goModule(name string, source fs.FS) (mod, sum []byte, err error) {
	release, direct, indirect, err := requirements(source)
	if err != nil {
		return nil, nil, err
	}
	mod = fmt.Appendf(nil, "module %s\n\ngo %s\n\nrequire (\n", name, release)
	for _, m := range direct {
		mod = fmt.Appendf(mod, "\t%s %s\n", m.Path, m.Version)
	}
	mod = append(mod, ")\n\nrequire (\n"...)
	for _, m := range indirect {
		mod = fmt.Appendf(mod, "\t%s %s // indirect\n", m.Path, m.Version)
	}
	mod = append(mod, ")\n"...)
	all, err := fs.ReadFile(source, "go.sum")
	if err != nil {
		return nil, nil, err
	}
	for line := range bytes.Lines(all) {
		m, _, _ := bytes.Cut(line, []byte(" "))
		if _, ok := needed[string(m)]; ok {
			sum = append(sum, line...)
		}
	}
	return mod, sum, nil
}

// requirements are the release of Go and the modules that the SDK is built with.
func requirements(source fs.FS) (release string, direct, indirect []module.Version, err error) {
	b, err := fs.ReadFile(source, "go.mod")
	if err != nil {
		return "", nil, nil, err
	}
	ours, err := modfile.Parse("go.mod", b, nil)
	if err != nil {
		return "", nil, nil, err
	}
	for _, r := range ours.Require {
		switch imported, ok := needed[r.Mod.Path]; {
		case imported:
			direct = append(direct, r.Mod)
		case ok:
			indirect = append(indirect, r.Mod)
		}
	}
	module.Sort(direct)
	module.Sort(indirect)
	return ours.Go.Version, direct, indirect, nil
}

// Home is what a directory of Go packages is by the module that it is part of: its import path, and the modules that the SDK
// is made for and that this one requires not at all, or in older versions.
func Home(dir string, source fs.FS) (at string, lacks []module.Version, err error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", nil, err
	}
	for above := filepath.Dir(abs); ; above = filepath.Dir(above) {
		path := filepath.Join(above, "go.mod")
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) && above != filepath.Dir(above) {
			continue
		}
		if errors.Is(err, fs.ErrNotExist) {
			return "", nil, fmt.Errorf("no directory above %s has a go.mod: a copy of the SDK for Go is part of the module that uses it (go mod init)", dir)
		}
		if err != nil {
			return "", nil, err
		}
		rel, err := filepath.Rel(above, abs)
		if err != nil {
			return "", nil, err
		}
		return home(path, text, filepath.ToSlash(rel), source)
	}
}

func home(file string, text []byte, rel string, source fs.FS) (at string, lacks []module.Version, err error) {
	mod, err := modfile.ParseLax(file, text, nil)
	if err != nil {
		return "", nil, err
	}
	if mod.Module == nil {
		return "", nil, fmt.Errorf("%s names no module", file)
	}
	have := map[string]string{}
	for _, r := range mod.Require {
		have[r.Mod.Path] = r.Mod.Version
	}
	_, direct, _, err := requirements(source)
	for _, m := range direct {
		if semver.Compare(have[m.Path], m.Version) < 0 { // "" is before all
			lacks = append(lacks, m)
		}
	}
	return path.Join(mod.Module.Mod.Path, rel), lacks, err
}
