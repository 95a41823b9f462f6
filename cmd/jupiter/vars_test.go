package main

import (
	"testing"

	"github.com/spf13/cobra"
)

// TestVariablesEverywhere: every command that works on a configuration takes values for its variables. The others work on
// files, or read of the configuration only which plugins it requires, which are constants.
func TestVariablesEverywhere(t *testing.T) {
	t.Parallel()
	files := map[string]bool{"jupiter fmt": true, "jupiter new": true, "jupiter domain new": true, "jupiter domain import": true, "jupiter schema": true,
		"jupiter init": true, "jupiter plugin new": true, "jupiter plugin sdk": true, "jupiter plugin list": true, "jupiter plugin lock": true, "jupiter plugin mirror": true}
	seen := 0
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			walk(sub)
		}
		if c.Flags().Lookup("chdir") == nil || files[c.CommandPath()] {
			return
		}
		seen++
		for _, flag := range []string{"var", "var-file"} {
			if c.Flags().Lookup(flag) == nil {
				t.Errorf("%s has no --%s", c.CommandPath(), flag)
			}
		}
	}
	walk(newRootCommand(here()))
	if seen < 15 {
		t.Errorf("looked at %d commands only", seen)
	}
}
