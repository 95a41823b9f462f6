package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"jupiter/plugins/scaffold"
)

// checkExample checks that a new project's example is a plan that can be locked, and that its stage is accepted.
func checkExample(t *testing.T, dir string) {
	t.Helper()
	if out := inDir(t, dir, "jupiter", "init", "example"); !strings.Contains(out, "0.1.0 locked, from ../") {
		t.Errorf("init:\n%s", out)
	}
	if out := inDir(t, dir, "jupiter", "validate", "example"); !strings.Contains(out, "example is valid") {
		t.Errorf("validate:\n%s", out)
	}
	if out := inDir(t, dir, "jupiter", "fmt", "--check", "example"); out != "" {
		t.Errorf("fmt:\n%s", out)
	}
	example := loopRead(t, filepath.Join(dir, "example", filepath.Base(dir)+".jupiter.hcl"))
	source := regexp.MustCompile(`source +=  *"(.+)"`).FindStringSubmatch(example)
	if source == nil {
		t.Fatalf("no source in\n%s", example)
	}
	if out := inDir(t, filepath.Join(dir, "example"), "jupiter", "plugin", "conformance", source[1]); !strings.Contains(out, " 0 broken") {
		t.Errorf("conformance:\n%s", out)
	}
}

// TestNewInGo writes a project of each kind in Go, builds and tests it from the modules that are here, and locks the program
// for its example. So that the SDK is built once, the first project is the module of all.
func TestNewInGo(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	first := filepath.Join(root, "my_"+scaffold.Kinds[0])
	for _, kind := range scaffold.Kinds {
		dir := filepath.Join(root, "my_"+kind)
		if out := inDir(t, root, "jupiter", "plugin", "new", "--lang", "go", "--kind", kind, "--module", "example.com/mine", filepath.Base(dir)); !strings.Contains(out, "Wrote my_"+kind+"/plugin.go.") {
			t.Errorf("%s", out)
		}
		if dir == first {
			continue
		}
		for _, name := range []string{"plugin.go", "plugin_test.go"} {
			docFile(t, filepath.Join(first, filepath.Base(dir), name), loopRead(t, filepath.Join(dir, name)))
		}
	}
	for _, args := range [][]string{{"test", "./..."}, {"build", "-o", root + "/bin/", "./..."}} {
		cmd := exec.Command("go", args...)
		cmd.Dir, cmd.Env = first, append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=readonly", "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %s: %v\n%s", args[0], err, out)
		}
	}
	for _, kind := range scaffold.Kinds {
		name := "my_" + kind
		built := filepath.Join(root, "bin", name)
		if name == filepath.Base(first) {
			built = filepath.Join(root, "bin", "mine")
		}
		if err := os.Mkdir(filepath.Join(root, name, "bin"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(built, filepath.Join(root, name, "bin", name)); err != nil {
			t.Fatal(err)
		}
		if out := inDir(t, filepath.Join(root, name), "gofmt", "-l", "."); out != "" {
			t.Errorf("%s: not formatted:\n%s", kind, out)
		}
		checkExample(t, filepath.Join(root, name))
	}
}

// TestNewInPython writes a project of each kind in Python, and does what its README says in an environment that has the
// SDK's dependencies: they are installed from what is here, and nothing is asked of a package index.
func TestNewInPython(t *testing.T) {
	t.Parallel()
	env, err := pythonEnvironment()
	if err != nil {
		t.Skipf("NOT TESTED, NEW PLUGINS IN PYTHON: their environment cannot be made: %v", err)
	}
	root := t.TempDir()
	python := filepath.Join(root, "venv", "bin", "python")
	inDir(t, root, filepath.Join(env, "bin", "python"), "-m", "venv", "--without-pip", "venv")
	sites, err := filepath.Glob(filepath.Join(root, "venv", "lib", "python*", "site-packages"))
	if err != nil || len(sites) != 1 {
		t.Fatalf("%d directories of packages, %v", len(sites), err)
	}
	shared := filepath.Join(env, strings.TrimPrefix(sites[0], filepath.Join(root, "venv")))
	docFile(t, filepath.Join(sites[0], "shared.pth"), shared+"\n") // after the environment's own packages
	install := []string{"-m", "pip", "--python", python, "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--no-build-isolation", "--ignore-installed"}
	for i, kind := range scaffold.Kinds {
		dir := filepath.Join(root, "my_"+kind)
		inDir(t, root, "jupiter", "plugin", "new", "--lang", "python", "--kind", kind, filepath.Base(dir))
		if err := os.Symlink(filepath.Join(root, "venv"), filepath.Join(dir, "venv")); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			install = append(install, filepath.Join(dir, "sdk", "python"))
		}
		install = append(install, dir)
	}
	inDir(t, root, filepath.Join(env, "bin", "python"), install...)
	if at := inDir(t, root, python, "-c", "import jupiter_sdk; print(jupiter_sdk.__file__)"); !strings.HasPrefix(at, sites[0]) {
		t.Errorf("the SDK that is tested with is not the projects' copy: %s", at)
	}
	for _, kind := range scaffold.Kinds {
		dir := filepath.Join(root, "my_"+kind)
		inDir(t, dir, python, "-m", "pytest", "-q")
		inDir(t, dir, python, "-m", "ruff", "check", "--quiet", "src", "tests")
		if out := inDir(t, dir, python, "-m", "mypy"); !strings.HasPrefix(out, "Success") {
			t.Errorf("%s: mypy:\n%s", kind, out)
		}
		checkExample(t, dir)
	}
}
