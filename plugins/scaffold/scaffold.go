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
//	in Go, where the SDK is part of the project's module:
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

	"golang.org/x/mod/module"
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
	Module   string // that a project in Go is
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
		var err error
		if out["go.mod"], out["go.sum"], err = goModule(o.Module, source); err != nil {
			return nil, err
		}
	}
	for to, from := range o.parts() {
		b, err := fs.ReadFile(files, from)
		if err != nil {
			return nil, err
		}
		text := []byte(o.fill(string(b)))
		if path.Ext(to) == ".go" {
			if text, err = reimport(text, path.Join(o.Module, "sdk")); err != nil {
				return nil, err
			}
		}
		out[to] = text
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
	return strings.NewReplacer("@KIND@", o.Kind, "@PROGRAM@", program, "@MODULE@", o.Module, "@VERSION@", o.Version, starter, o.Name).Replace(text)
}

// Commands are those that build, test and use a new project, in its directory.
func Commands(language, name string) []string {
	if language == "python" {
		return []string{"python3 -m venv venv", `venv/bin/pip install ./sdk/python ".[dev]"`, "venv/bin/pytest", "jupiter plugin conformance venv/bin/jupiter-" + name, "jupiter init example", "jupiter validate example"}
	}
	return []string{"go test ./...", "go build -o bin/" + name + " .", "jupiter plugin conformance bin/" + name, "jupiter init example", "jupiter validate example"}
}

// Refreshed are the commands that take a new copy of the SDK into use. lacks are the modules that it is made for and that
// the author's has not, or older: see Home.
func Refreshed(language string, lacks []module.Version) []string {
	if language == "python" {
		return []string{"venv/bin/pip install --force-reinstall --no-deps ./sdk/python", "venv/bin/pytest"}
	}
	next := []string{"go mod tidy", "go test ./..."}
	if len(lacks) == 0 {
		return next
	}
	get := "go get"
	for _, m := range lacks {
		get += " " + m.String()
	}
	return append([]string{get}, next...)
}

// CheckModule says what is wrong with the path of a module that others are to fetch.
func CheckModule(name string) error {
	if err := module.CheckPath(name); err != nil {
		return fmt.Errorf("%q cannot be the path of a module: one is like example.com/acme/jupiter-words", name)
	}
	return nil
}
