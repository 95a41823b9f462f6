package main

import "github.com/spf13/cobra"

func newDomainCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "domain",
		Short: "Begin a domain, or bring one over from the older form",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newDomainNewCommand(w), newDomainImportCommand(w))
	return cmd
}
