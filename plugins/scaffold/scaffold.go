// Package scaffold has what the author of a plugin begins with: a project for each kind of stage, in Go and in Python, and
// the SDK, which a project has a copy of.
//
// The projects are no templates but packages that are built, tested and looked at as all others are, under the name
// "starter". A project of another name has that name wherever "starter" stands, and nothing else is another.
//
//	NAME/
//	  README.md  .gitignore
//	  example/NAME.jupiter.hcl      a plan that requires the plugin and has its stage
//	  sdk/                          the SDK: see SDK
//	in Go:
//	  go.mod  go.sum  plugin.go  plugin_test.go
//	in Python:
//	  pyproject.toml  src/jupiter_NAME/{__init__.py,plugin.py,py.typed}  tests/test_plugin.py
package scaffold

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
)

// Kinds are the kinds of stages, in the order of a cycle.
var Kinds = []string{"collector", "generator", "filter", "verifier", "trainer", "evaluator", "exporter"}

// Languages are what a plugin can be written in.
var Languages = []string{"go", "python"}

// starter is the name under which the projects are written.
const starter = "starter"

//go:embed go/*/*.go python/pyproject.toml python/__init__.py python/*/*.py common
var files embed.FS

// Options say what a project is made for.
type Options struct {
	Name     string // of the plugin and of its stage: see CheckName
	Kind     string // one of Kinds
	Language string // one of Languages
	Version  string // of the SDK
}

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// CheckName says what is wrong with a plugin's name.
func CheckName(name string) error {
	if !nameForm.MatchString(name) {
		return fmt.Errorf("%q cannot be a plugin's name: a name starts with a letter of a-z, and has letters, digits and _", name)
	}
	return nil
}

// Project gives the files of a project, by their paths with slashes. Those of the SDK are not among them.
func Project(o Options, source fs.FS) (map[string][]byte, error) {
	out := map[string][]byte{}
	if o.Language == "go" {
		mod, sum, err := goModule("example.com/jupiter-"+o.Name, source)
		if err != nil {
			return nil, err
		}
		out["go.mod"] = append(mod, "\nreplace jupiter => ./sdk\n"...)
		out["go.sum"] = sum
	}
	for to, from := range o.parts() {
		b, err := fs.ReadFile(files, from)
		if err != nil {
			return nil, err
		}
		out[to] = []byte(o.fill(string(b)))
	}
	return out, nil
}

// parts are the files of a project and where they come from.
func (o Options) parts() map[string]string {
	kind := path.Join(o.Language, o.Kind)
	all := map[string]string{
		"README.md":  "common/README." + o.Language + ".md",
		".gitignore": "common/gitignore",
		path.Join("example", o.Name+".jupiter.hcl"): "common/" + o.Kind + ".hcl",
	}
	if o.Language == "go" {
		all["plugin.go"], all["plugin_test.go"] = kind+"/plugin.go", kind+"/plugin_test.go"
		return all
	}
	pkg := "src/jupiter_" + o.Name
	all["pyproject.toml"] = "python/pyproject.toml"
	all[pkg+"/__init__.py"], all[pkg+"/plugin.py"] = "python/__init__.py", kind+"/plugin.py"
	all[pkg+"/py.typed"] = "common/py.typed"
	all["tests/test_plugin.py"] = kind + "/test_plugin.py"
	return all
}

// fill puts what is this project's own into a text. What else differs stands between two @.
func (o Options) fill(text string) string {
	program := "../bin/" + o.Name
	if o.Language == "python" {
		program = "../venv/bin/jupiter-" + o.Name
	}
	return strings.NewReplacer("@KIND@", o.Kind, "@PROGRAM@", program, "@VERSION@", o.Version, starter, o.Name).Replace(text)
}

// Commands are those that build, test and use a new project, in its directory.
func Commands(language, name string) []string {
	if language == "python" {
		return []string{"python3 -m venv venv", `venv/bin/pip install ./sdk/python ".[dev]"`, "venv/bin/pytest", "jupiter init example", "jupiter validate example"}
	}
	return []string{"go test ./...", "go build -o bin/" + name + " .", "jupiter init example", "jupiter validate example"}
}

// Refreshed are the commands that take a new copy of the SDK into use.
func Refreshed(language string) []string {
	if language == "python" {
		return []string{"venv/bin/pip install --force-reinstall --no-deps ./sdk/python", "venv/bin/pytest"}
	}
	return []string{"go mod tidy", "go test ./..."}
}
