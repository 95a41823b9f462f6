package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"jupiter/plan/lang"
	"jupiter/runtime"
)

type notifyTestOptions struct {
	targetOptions
	json bool
}

func newNotifyCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "notify",
		Short: "Try what an apply tells, and whom",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newNotifyTestCommand(w))
	return cmd
}

func newNotifyTestCommand(w *world) *cobra.Command {
	var o notifyTestOptions
	cmd := &cobra.Command{
		Use:   "test NAME",
		Short: "Tell a notify block that this is a test",
		Long: `Run the command of the notify block NAME, or post to its webhook, with a notice of the event "test". Nothing is
recorded.

Exit status: 0 told, 1 error.`,
		Args: oneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return notifyTest(cmd.Context(), w, &o, args[0])
		},
	}
	o.addFlags(cmd)
	addJSON(cmd, &o.json, "notify-test")
	return cmd
}

// notifyTested is what notify test --json writes.
type notifyTested struct {
	Schema string `json:"schema"`
	Name   string `json:"name"`
	Told   bool   `json:"told"`
	Error  string `json:"error"`
}

func notifyTest(ctx context.Context, w *world, o *notifyTestOptions, name string) error {
	return reading(ctx, w, &o.targetOptions, "", func(p *project) error {
		var names []string
		for _, h := range runtime.Hooks(p.cfg) {
			names = append(names, h.Name)
			if h.Name != name {
				continue
			}
			n := p.runner.Notice("test", w.now().UTC().Format("20060102T150405.000Z"))
			n.Text = n.Project + ": this is a test"
			err := p.runner.Teller().Tell(ctx, h, n)
			if o.json {
				said := notifyTested{Schema: "jupiter.notify-test/v1", Name: name, Told: err == nil}
				if err != nil {
					said.Error = err.Error()
				}
				if failed := w.json(said); failed != nil || err == nil {
					return failed
				}
				return code(exitError)
			}
			if err != nil {
				return fmt.Errorf("notify %q: %w", name, err)
			}
			fmt.Fprintf(w.out, "notify %q was told.\n", name)
			return nil
		}
		if len(names) == 0 {
			return fmt.Errorf("%s has no notify block", p.path)
		}
		return fmt.Errorf("%s has no notify block %q; it has %s.%s", p.path, name, list(names), lang.DidYouMean(name, names))
	})
}
