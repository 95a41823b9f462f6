package main

import "github.com/spf13/cobra"

func newPluginCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plugin",
		Short: "List plugins, lock them for other platforms, and copy them into a mirror",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newPluginListCommand(w), newPluginLockCommand(w), newPluginMirrorCommand(w))
	return cmd
}
