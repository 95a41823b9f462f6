package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"jupiter/state/durable"
)

func newStateExportCommand(w *world) *cobra.Command {
	var o targetOptions
	cmd := &cobra.Command{
		Use:   "export [FILE|-]",
		Short: "Write everything that is recorded as JSON, for others to read",
		Long: `Write all records as JSON of the schema jupiter.state-export/v1 to FILE, or to the standard output: history,
decisions, generators, runs, results with all that they came from. Whoever gets it can read everything and change
nothing: no command reads it back, and it holds no files of data and no secrets. It works beside an apply.
docs/state.md says what is in it.

Exit status: 0 done, 1 error.`,
		Args: maxOneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return reading(cmd.Context(), w, &o, "", func(p *project) error { return exportState(cmd.Context(), p, arg(args)) })
		},
	}
	o.addFlags(cmd)
	return cmd
}

// stateExport is what state export writes.
type stateExport struct {
	Schema string          `json:"schema"`
	State  json.RawMessage `json:"state"` // a bucket each; see state.DB.Export
}

func exportState(ctx context.Context, p *project, path string) error {
	var b bytes.Buffer
	if err := p.db.Export(ctx, &b); err != nil {
		return err
	}
	out, err := marshal(stateExport{"jupiter.state-export/v1", b.Bytes()}, "  ")
	if err != nil {
		return err
	}
	if path == "" || path == "-" {
		_, err = p.w.out.Write(out)
		return err
	}
	if err := durable.Replace(path, out); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	fmt.Fprintf(p.w.out, "Wrote %s to %s\n", sizeText(int64(len(out))), path)
	return nil
}
