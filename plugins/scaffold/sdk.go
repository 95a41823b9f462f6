package scaffold

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
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

// SDKModule is what the module of the Go SDK is called, and has to be: the packages in it import each other by it.
const SDKModule = "jupiter"

// SDK gives the files of a language's SDK, by their paths with slashes below the directory of the copy: those of Go as a
// module, those of Python as a package in python. List names the one that says what belongs to the copy.
func SDK(language, version string, source fs.FS) (map[string][]byte, error) {
	root, prefix, to := "plugins", "", "" // Go's lie where they lie in the repository
	if language == "python" {
		root, prefix, to = "plugins/sdk/python", "plugins/sdk/python", "python"
	}
	out := map[string][]byte{}
	err := fs.WalkDir(source, root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || language == "go" && path.Ext(p) != ".go" {
			return err
		}
		out[path.Join(to, strings.TrimPrefix(p, prefix))], err = fs.ReadFile(source, p)
		return err
	})
	if err == nil && language == "go" {
		out["go.mod"], out["go.sum"], err = goModule(SDKModule, source)
	}
	if err != nil {
		return nil, err
	}
	out[List(language)] = list(language, version, slices.Sorted(maps.Keys(out)))
	return out, nil
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

// goModule writes the go.mod and go.sum of a module that is built with the SDK, or is it, with the versions that this
// repository has.
func goModule(name string, source fs.FS) (mod, sum []byte, err error) {
	b, err := fs.ReadFile(source, "go.mod")
	if err != nil {
		return nil, nil, err
	}
	ours, err := modfile.Parse("go.mod", b, nil)
	if err != nil {
		return nil, nil, err
	}
	var direct, indirect []string
	for _, r := range ours.Require {
		imported, ok := needed[r.Mod.Path]
		switch line := "\t" + r.Mod.Path + " " + r.Mod.Version; {
		case ok && imported && name == SDKModule:
			direct = append(direct, line+"\n")
		case ok:
			indirect = append(indirect, line+" // indirect\n")
		}
	}
	slices.Sort(direct)
	slices.Sort(indirect)
	first := "require (\n" + strings.Join(direct, "") + ")\n"
	if name != SDKModule {
		first = "require " + SDKModule + " v0.1.0\n" // any version: a replace directive stands in its place
	}
	mod = fmt.Appendf(nil, "module %s\n\ngo %s\n\n%s\nrequire (\n%s)\n", name, ours.Go.Version, first, strings.Join(indirect, ""))
	var sums strings.Builder
	if b, err = fs.ReadFile(source, "go.sum"); err != nil {
		return nil, nil, err
	}
	for line := range strings.Lines(string(b)) {
		m, _, _ := strings.Cut(line, " ")
		if _, ok := needed[m]; ok {
			sums.WriteString(line)
		}
	}
	return mod, []byte(sums.String()), nil
}
