package scaffold_test

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jupiter"
	"jupiter/plugins/scaffold"
)

const root = "../.."

// TestSource: the sources that the program has are the SDKs as they are, all of them, and nothing else.
func TestSource(t *testing.T) {
	t.Parallel()
	var want []string
	for _, pattern := range []string{
		"go.mod", "go.sum", "plugins/sdk/*.go", "plugins/sdk/certificate/*.go", "plugins/sdk/sdktest/*.go", "plugins/proto/pluginv1/*.go", "plugins/sdk/python/pyproject.toml", "plugins/sdk/python/README.md",
		"plugins/sdk/python/src/jupiter_sdk/*.*", "plugins/sdk/python/src/jupiter_sdk/_pb/*.*",
	} {
		paths, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(paths), err)
		}
		for _, p := range paths {
			if rel, err := filepath.Rel(root, p); err == nil && !strings.HasSuffix(p, "_test.go") {
				want = append(want, filepath.ToSlash(rel))
			}
		}
	}
	var have []string
	size := 0
	err := fs.WalkDir(jupiter.Source, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(jupiter.Source, p)
		have, size = append(have, p), size+len(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	slices.Sort(have)
	if d := cmp.Diff(want, have); d != "" {
		t.Errorf("files (-repository +program):\n%s", d)
	}
	if size > 1<<20 {
		t.Errorf("the program carries %d bytes of sources", size)
	}
}

// TestModules: the SDK's imports are in what its module requires, at this repository's versions, and no more than that; and
// a project requires what a tidy module with the SDK does.
func TestModules(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}\t{{.Path}} {{.Version}}{{end}}{{end}}", "jupiter/plugins/sdk/sdktest").Output()
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Sorted(slices.Values(strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' })))
	sdk, err := scaffold.SDK("go", "1.0.0", jupiter.Source)
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for line := range strings.Lines(string(sdk["go.mod"])) {
		if strings.HasPrefix(line, "\t") {
			have = append(have, strings.TrimSuffix(strings.TrimSuffix(line, "\n"), " // indirect"))
		}
	}
	slices.Sort(have)
	if d := cmp.Diff(slices.Compact(want), have); d != "" {
		t.Errorf("modules (-imported +required):\n%s", d)
	}
	example, err := os.ReadFile(filepath.Join(root, "examples/plugins/go-wordfilter/go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	project, err := scaffold.Project(scaffold.Options{Name: "words", Kind: "filter", Language: "go"}, jupiter.Source)
	if err != nil {
		t.Fatal(err)
	}
	requires := func(mod []byte) string {
		_, after, _ := bytes.Cut(mod, []byte("require"))
		before, _, _ := bytes.Cut(after, []byte("replace"))
		return string(before)
	}
	if d := cmp.Diff(requires(example), requires(project["go.mod"])); d != "" {
		t.Errorf("go.mod (-tidy +project):\n%s", d)
	}
}

// TestProjects: a project has its name wherever the name belongs, every kind has what the others have, and no text is left
// to be filled in.
func TestProjects(t *testing.T) {
	t.Parallel()
	for _, language := range scaffold.Languages {
		var names []string
		for _, kind := range scaffold.Kinds {
			files, err := scaffold.Project(scaffold.Options{Name: "my_words", Kind: kind, Language: language, Version: "9.8.7"}, jupiter.Source)
			if err != nil {
				t.Fatal(err)
			}
			var have []string
			for name, text := range files {
				have = append(have, name)
				for _, left := range []string{"starter", "@KIND@", "@PROGRAM@", "@VERSION@"} {
					if strings.Contains(name, left) || bytes.Contains(text, []byte(left)) {
						t.Errorf("%s %s: %s has %q", language, kind, name, left)
					}
				}
			}
			slices.Sort(have)
			if names == nil {
				names = have
			}
			if d := cmp.Diff(names, have); d != "" {
				t.Errorf("%s %s has other files:\n%s", language, kind, d)
			}
			if readme := string(files["README.md"]); !strings.Contains(readme, "a "+kind+".") || !strings.Contains(readme, "9.8.7") {
				t.Errorf("%s %s: README.md says neither kind nor version:\n%s", language, kind, readme)
			}
			for _, name := range have {
				if s := string(files[name]); path.Base(name) == "plugin."+map[string]string{"go": "go", "python": "py"}[language] {
					for _, idea := range []string{"default", "effect", "alidate", "topped", "rogress"} {
						if !strings.Contains(s, idea) {
							t.Errorf("%s %s shows no %q", language, kind, idea)
						}
					}
				}
			}
		}
	}
}

func TestCheckName(t *testing.T) {
	t.Parallel()
	for name, ok := range map[string]bool{"words": true, "w2_x": true, "": false, "Words": false, "2w": false, "a-b": false, "a/b": false, "..": false} {
		if err := scaffold.CheckName(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}
