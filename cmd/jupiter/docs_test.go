package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestDocumented: docs/cli.md has a heading for every command and names every flag below it, and every command's help
// lists its exit statuses.
func TestDocumented(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]string{}
	for _, s := range strings.Split(string(b), "\n## ")[1:] {
		heading, body, _ := strings.Cut(s, "\n")
		sections[strings.Trim(heading, "`")] = body
	}
	seen := 0
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			walk(sub)
		}
		if c.Hidden || c.HasSubCommands() || c.Name() == "help" {
			return
		}
		seen++
		section, ok := sections[c.CommandPath()]
		if !ok {
			t.Errorf("docs/cli.md has no section %q", c.CommandPath())
			return
		}
		c.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden && !strings.Contains(section, "--"+f.Name) && !common(f.Name) {
				t.Errorf("docs/cli.md says nothing of %s --%s", c.CommandPath(), f.Name)
			}
		})
		for _, flag := range regexp.MustCompile(`--[a-z][a-z-]*`).FindAllString(strings.ReplaceAll(section, "`plan --out`", ""), -1) {
			if name := flag[2:]; c.Flags().Lookup(name) == nil && c.InheritedFlags().Lookup(name) == nil {
				t.Errorf("docs/cli.md: %s has no flag %s", c.CommandPath(), flag)
			}
		}
		if !strings.Contains(c.Long, "Exit status: 0") {
			t.Errorf("the help of %s does not list its exit statuses", c.CommandPath())
		}
	}
	walk(newRootCommand(here()))
	if seen < 15 {
		t.Errorf("looked at %d commands only", seen)
	}
}

// common says whether a flag is described once for all commands.
func common(name string) bool {
	switch name {
	case "chdir", "var", "var-file", "json", "cycle", "lock-timeout", "help":
		return true
	}
	return false
}
