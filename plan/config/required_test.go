package config

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
)

// required gives plugins as lines, with the lines of the sources that say them.
func required(c *Config) (lines []string) {
	for _, p := range c.Plugins {
		lines = append(lines, p.Name+" "+p.Source+" "+p.Constraint()+" "+filepath.Base(p.Range.Filename))
	}
	return lines
}

// TestRequirements: the plugins of all modules are known before anything is evaluated, in both spellings, with the
// constraints of all of them joined.
func TestRequirements(t *testing.T) {
	t.Parallel()
	called := "jupiter {\n required_plugins {\n  words = { version = \"< 2\" }\n  judge = { source = \"./bin/judge\" }\n }\n}\n"
	for name, root := range map[string]string{
		"main.jupiter.hcl":  "jupiter {\n offline = true\n required_plugins {\n  words = { source = \"example.com/words\", version = \">= 1.0\" }\n }\n}\nmodule \"m\" {\n source = \"./m\"\n for_each = {}\n}\nmodule \"n\" {\n source = \"./m\"\n}\n",
		"main.jupiter.yaml": "jupiter:\n  offline: true\n  required_plugins:\n    words: {source: example.com/words, version: \">= 1.0\"}\nmodule:\n  m:\n    source: ./m\n    for_each: {}\n  n:\n    source: ./m\n",
	} {
		dir := write(t, map[string]string{name: root, "m/m.jupiter.hcl": called})
		want := []string{"words example.com/words >= 1.0, < 2 " + name, "judge ./bin/judge  m.jupiter.hcl"}
		c, files, diags := Requirements(dir, Options{})
		if len(diags) > 0 {
			t.Fatal(text(t, files, diags))
		}
		if diff := cmp.Diff(want, required(c)); diff != "" || !c.Offline || c.Dir != dir || c.StateDir != filepath.Join(dir, ".jupiter") {
			t.Errorf("%s: %s\n%+v", name, diff, c)
		}
		asked := 0
		_, files, diags = load(t, dir, Options{Plugins: func(c *Config) hcl.Diagnostics {
			asked++
			if diff := cmp.Diff(want, required(c)); diff != "" {
				t.Error(diff)
			}
			return hcl.Diagnostics{problem(c.Plugins[0].Range, "Plugin not installed", "It is not.")}
		}})
		if asked != 1 || len(diags) != 1 || diags[0].Summary != "Plugin not installed" || diags[0].Subject.Start.Line != 4 {
			t.Errorf("asked %d times, %s", asked, text(t, files, diags))
		}
	}
}

// TestRequirementsDisagree: one name is one plugin, and only the root module has settings.
func TestRequirementsDisagree(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{
		"main.jupiter.hcl": "jupiter {\n required_plugins {\n  words = { source = \"./a\" }\n }\n}\nmodule \"m\" {\n source = \"./m\"\n}\n",
		"m/m.jupiter.hcl":  "jupiter {\n required_version = \"1\"\n state_dir = \"x\"\n required_plugins {\n  words = { source = \"./b\" }\n }\n}\n",
	})
	_, files, diags := load(t, dir, Options{})
	got := text(t, files, diags)
	for _, want := range []string{"Two sources of one plugin", "m.jupiter.hcl line 5", "required_version concerns the whole program", "state_dir concerns"} {
		if !strings.Contains(got, want) || len(diags) != 3 {
			t.Errorf("want %q in\n%s", want, got)
		}
	}
}
