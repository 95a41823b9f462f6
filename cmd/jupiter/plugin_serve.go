package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"jupiter/plugins/sdk"
)

func newPluginServeCommand() *cobra.Command {
	return &cobra.Command{
		Use:    serveCommand + " NAME",
		Short:  "Serve a built-in plugin; the plugin host runs this",
		Hidden: true,
		Args:   oneArg,
		RunE:   func(_ *cobra.Command, args []string) error { return servePlugin(args[0]) },
	}
}

// servePlugin runs the process as a built-in plugin, until the host ends it.
func servePlugin(name string) error {
	for _, p := range builtins() {
		if p.Name == name {
			sdk.Serve(p)
			return nil
		}
	}
	return fmt.Errorf("there is no built-in plugin %q", name)
}
