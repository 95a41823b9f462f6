package main

import (
	"github.com/spf13/cobra"

	"jupiter/plugins/host/confine"
)

// confineCommand is the hidden command that restricts itself and then starts a plugin.
const confineCommand = "plugin-confine"

func newPluginConfineCommand() *cobra.Command {
	return &cobra.Command{
		Use:    confineCommand + " SPEC",
		Short:  "Start a plugin so that it can do little harm; the plugin host runs this",
		Hidden: true,
		Args:   oneArg,
		RunE: func(_ *cobra.Command, args []string) error {
			status, err := confine.Main(args)
			if err != nil {
				return err
			}
			return code(status)
		},
	}
}
