package main

import "github.com/spf13/cobra"

func newPluginCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plugin",
		Short: "Begin a plugin; hold one to the protocol; list plugins, lock them for other platforms, copy them into a mirror",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newPluginNewCommand(w), newPluginSDKCommand(w), newPluginConformanceCommand(w), newPluginListCommand(w), newPluginLockCommand(w), newPluginMirrorCommand(w))
	return cmd
}
