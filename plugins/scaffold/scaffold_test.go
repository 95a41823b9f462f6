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

// TestModules: a project requires the modules that the SDK is built with, at this repository's versions, and no others; those
// that the SDK imports itself are not called indirect.
func TestModules(t *testing.T) {
	t.Parallel()
	list := func(args ...string) []string {
		out, err := exec.Command("go", append([]string{"list"}, args...)...).Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.Fields(strings.ReplaceAll(string(out), " ", "@"))
	}
	const ofModule = "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{end}}{{end}}"
	var imports []string
	for _, p := range list("-f", `{{join .Imports "\n"}}`, "jupiter/plugins/sdk/...", "jupiter/plugins/proto/pluginv1") {
		if first, _, _ := strings.Cut(p, "/"); strings.Contains(first, ".") {
			imports = append(imports, p)
		}
	}
	direct := list(append([]string{"-f", ofModule}, imports...)...)
	var want []string
	for _, m := range list("-deps", "-f", ofModule, "jupiter/plugins/sdk/sdktest") {
		if !slices.Contains(direct, m) {
			m += "@indirect"
		}
		want = append(want, m)
	}
	slices.Sort(want)
	project, err := scaffold.Project(scaffold.Options{Name: "words", Kind: "filter", Language: "go", Module: "example.com/acme/words"}, jupiter.Source)
	if err != nil {
		t.Fatal(err)
	}
	if first, _, _ := strings.Cut(string(project["go.mod"]), "\n"); first != "module example.com/acme/words" {
		t.Errorf("go.mod: %s", first)
	}
	var have []string
	for line := range strings.Lines(string(project["go.mod"])) {
		if strings.HasPrefix(line, "\t") {
			have = append(have, strings.ReplaceAll(strings.ReplaceAll(strings.TrimSpace(line), " // ", "@"), " ", "@"))
		}
	}
	slices.Sort(have)
	if d := cmp.Diff(slices.Compact(want), have); d != "" {
		t.Errorf("modules (-imported +required):\n%s", d)
	}
}

// TestCopy: a copy of the SDK is part of the author's module, and nothing in it is imported from this repository. The text
// of a message's description, which has that path too, is left alone.
func TestCopy(t *testing.T) {
	t.Parallel()
	files, err := scaffold.SDK("go", "1.0.0", "example.com/acme/words/sdk", jupiter.Source)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if bytes.Contains(text, []byte(`"jupiter/plugins/`)) {
			t.Errorf("%s imports from this repository", name)
		}
	}
	if s := string(files["sdktest/sdktest.go"]); !strings.Contains(s, "\t\"example.com/acme/words/sdk\"\n\tpluginv1 \"example.com/acme/words/sdk/pluginv1\"\n") {
		t.Errorf("sdktest.go:\n%s", s[:1200])
	}
	if files["go.mod"] != nil {
		t.Error("the copy is a module of its own, which is not published with the one around it")
	}
	if len(files["pluginv1/plugin.pb.go"]) == 0 || !bytes.Contains(files["pluginv1/plugin.pb.go"], []byte("jupiter/plugins/proto/pluginv1")) {
		t.Error("the description of the messages was rewritten")
	}
}

// TestHome: a copy of the SDK is imported by the module around it, which may lack what it is made for.
func TestHome(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(root, "go.mod"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("module example.com/acme/words\n\nrequire (\n\tgoogle.golang.org/grpc v1.0.0\n\tgoogle.golang.org/protobuf v1.999.0\n)\n")
	at, lacks, err := scaffold.Home(filepath.Join(root, "internal", "sdk"), jupiter.Source)
	if err != nil || at != "example.com/acme/words/internal/sdk" {
		t.Errorf("%s, %v", at, err)
	}
	var names []string
	for _, m := range lacks {
		names = append(names, m.Path)
	}
	if want := []string{"github.com/hashicorp/go-hclog", "github.com/hashicorp/go-plugin", "github.com/klauspost/compress", "google.golang.org/grpc"}; !slices.Equal(names, want) {
		t.Errorf("lacks %v, want %v", names, want)
	}
	if next := scaffold.Refreshed("go", lacks)[0]; !strings.HasPrefix(next, "go get github.com/hashicorp/go-hclog@v") || !strings.Contains(next, " google.golang.org/grpc@v1.") {
		t.Errorf("next: %s", next)
	}
	write("go 1.24\n")
	if _, _, err := scaffold.Home(filepath.Join(root, "sdk"), jupiter.Source); err == nil || !strings.Contains(err.Error(), "names no module") {
		t.Errorf("%v", err)
	}
}

// TestProjects: a project has its name wherever the name belongs, every kind has what the others have, and no text is left
// to be filled in.
func TestProjects(t *testing.T) {
	t.Parallel()
	for _, language := range scaffold.Languages {
		var names []string
		for _, kind := range scaffold.Kinds {
			files, err := scaffold.Project(scaffold.Options{Name: "my_words", Kind: kind, Language: language, Version: "9.8.7", Module: "example.com/mine"}, jupiter.Source)
			if err != nil {
				t.Fatal(err)
			}
			var have []string
			for name, text := range files {
				have = append(have, name)
				for _, left := range []string{"starter", "@KIND@", "@PROGRAM@", "@VERSION@", "@MODULE@"} {
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
