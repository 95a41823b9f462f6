package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"jupiter/plan"
	"jupiter/plugins/host"
	"jupiter/runtime"
	"jupiter/state"
)

// exitStatus ends a command with a code that is no error: the command has said all that there is to say.
type exitStatus int

func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// usageError is a command line that cannot be understood.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// code gives a status as an error; nil for 0.
func code(status int) error {
	if status == exitDone {
		return nil
	}
	return exitStatus(status)
}

// report says how a command failed, and gives the exit code.
func report(w *world, cmd *cobra.Command, err error) int {
	var status exitStatus
	var wrong *configurationError
	var usage usageError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &status):
		return int(status)
	case errors.As(err, &wrong):
		w.diagnostics(wrong.files, wrong.diags)
		return exitError
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(w.err, "Interrupted.")
		return exitInterrupted
	}
	kept := ""
	if w.project.Dir != "" {
		w.project.At = w.now()
		kept = runtime.KeepReport(err, w.project)
	}
	fmt.Fprintf(w.err, "Error: %v%s\n", err, kept)
	if hint := hintFor(err); hint != "" {
		fmt.Fprintf(w.err, "\n%s\n", hint)
	}
	if errors.As(err, &usage) && cmd != nil {
		fmt.Fprintf(w.err, "\n%s --help says what there is.\n", cmd.CommandPath())
	}
	return exitError
}

// hintFor says what to do about an error whose text cannot know it.
func hintFor(err error) string {
	var crash *host.Crash
	var source *plan.SourceError
	var changed *host.ChecksumError
	var broken *host.ProtocolError
	switch {
	case errors.As(err, &changed) && changed.Locked:
		return "It was not started. Where the change is meant, jupiter init --upgrade locks it; where it is not, put the program\nback that was locked, and find out who changed it."
	case errors.As(err, &crash):
		return crashHint(crash)
	case errors.As(err, &broken):
		return "What was recorded before is kept. It is the plugin that has to change: with one that keeps to the protocol the next\njupiter apply goes on from there."
	case errors.As(err, &source) && source.Collected:
		return "What was last collected of it is kept: plan and apply go on with that under --refresh=false."
	case errors.Is(err, state.ErrLocked):
		return "jupiter status says what the other command is doing."
	case errors.Is(err, state.ErrCorrupt):
		return "Copies of the state lie in its directory below backups; each apply keeps the one from before it.\njupiter state restore FILE puts one in its place."
	case errors.Is(err, state.ErrNewer):
		return "Use the version of jupiter that wrote it, or a newer one."
	}
	return ""
}

// crashHint says what happens next.
func crashHint(c *host.Crash) string {
	var b strings.Builder
	b.WriteString("What was recorded before is kept: the next jupiter apply goes on from there.")
	switch {
	case c.OOM:
		b.WriteString("\nThe stage needs more memory than there was. Make it smaller, or give it another machine.")
	case c.Crowded:
		b.WriteString("\nWhere it needs as many, limits { processes = N } in the stage's block allows more.")
	case c.Stalled:
		b.WriteString("\nIf it stalls again at the same place, that item is the cause.")
	default:
		b.WriteString("\nIf it crashes again at the same place, that item is the cause.")
	}
	return b.String()
}
