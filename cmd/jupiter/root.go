package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// newRootCommand gives the program with all its commands.
func newRootCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "jupiter",
		Short: "Plan and apply the self-improvement of domain language models",
		Long: `Jupiter makes a plan file true: it generates data, trains a student, compares it with the
generator in use, and replaces the generator only when the student is shown to be better.

  jupiter plan       what is to be done, and why
  jupiter apply      do it
  jupiter status     what an apply is doing
  jupiter history    what was decided, and why

A command works on the directory given with -C, or as its argument, or on the current one.

Exit status: 0 done, 1 error. The help of a command lists what else it may return.`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		Args:              noArgs,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: false},
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	cmd.PersistentFlags().Bool("no-color", false, "write no colours")
	cmd.PersistentPreRun = func(cmd *cobra.Command, _ []string) {
		if off, err := cmd.Flags().GetBool("no-color"); err == nil && off {
			w.environ = append(w.environ, "NO_COLOR=1")
		}
	}
	cmd.AddGroup(
		&cobra.Group{ID: "cycle", Title: "Plan and apply:"},
		&cobra.Group{ID: "look", Title: "See what happened:"},
		&cobra.Group{ID: "act", Title: "Decide by hand:"},
		&cobra.Group{ID: "care", Title: "Look after it:"},
	)
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			cmd.AddCommand(c)
		}
	}
	add("cycle", newNewCommand(w), newInitCommand(w), newFmtCommand(w), newValidateCommand(w), newPlanCommand(w), newExplainCommand(w), newShowCommand(w), newApplyCommand(w), newStatusCommand(w), newConsoleCommand(w), newGraphCommand(w), newDomainCommand(w), newBenchmarkCommand(w), newAttachCommand(w), newLogsCommand(w), newStopCommand(w))
	add("look", newHistoryCommand(w), newGeneratorsCommand(w), newRunsCommand(w), newPlotCommand(w), newSampleCommand(w), newServeCommand(w), newExportCommand(w), newConvertCommand(w), newOutputCommand(w), newCompareCommand(w))
	add("act", newApproveCommand(w), newRejectCommand(w), newRollbackCommand(w), newPinCommand(w), newQuarantineCommand(w), newAdoptCommand(w), newResumeCommand(w), newImportCommand(w))
	add("care", newStateCommand(w), newArtifactCommand(w), newPluginCommand(w), newDoctorCommand(w), newVersionCommand(w), newSchemaCommand(w), newNotifyCommand(w))
	cmd.AddCommand(newPluginServeCommand(), newPluginConfineCommand())
	return cmd
}

// noArgs is cobra's check, as an error of usage.
func noArgs(cmd *cobra.Command, args []string) error { return usage(cobra.NoArgs(cmd, args)) }

// maxOneArg lets a command have one argument or none.
func maxOneArg(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usageError{fmt.Errorf("%d arguments are too many: %s", len(args), form(cmd))}
	}
	return nil
}

// oneArg lets a command have one argument.
func oneArg(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usageError{fmt.Errorf("an argument is missing: %s", form(cmd))}
	}
	return maxOneArg(cmd, args)
}

// form is how a command is written.
func form(cmd *cobra.Command) string { return strings.TrimSuffix(cmd.UseLine(), " [flags]") }

func usage(err error) error {
	if err == nil {
		return nil
	}
	return usageError{err}
}
