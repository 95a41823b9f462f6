package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"jupiter/state"
)

func newArtifactListCommand(w *world) *cobra.Command {
	var o stateOptions
	cmd := &cobra.Command{
		Use:   "list [DIR|FILE]",
		Short: "List the stored artifacts, what made them and what needs them",
		Long: `List the artifacts that are recorded: files and directories by their digest, with their size, the address that
made each, and what needs it. What nothing needs is removed by jupiter artifact gc.

Exit status: 0 done, 1 error.`,
		Args: maxOneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return reading(cmd.Context(), w, &o.targetOptions, arg(args), func(p *project) error { return listArtifacts(cmd.Context(), p, o.json) })
		},
	}
	o.addFlags(cmd)
	addJSON(cmd, &o.json, "artifacts")
	return cmd
}

// artifactList is what artifact list --json writes.
type artifactList struct {
	Schema    string           `json:"schema"`
	Artifacts []listedArtifact `json:"artifacts"` // in the order of their digests
	Bytes     int64            `json:"bytes"`     // of all of them
}

type listedArtifact struct {
	Digest    string    `json:"digest"`
	Tree      bool      `json:"tree"` // a directory
	Bytes     int64     `json:"bytes"`
	MediaType string    `json:"media_type"`
	MadeBy    string    `json:"made_by"` // address; "": not known any more
	At        time.Time `json:"at"`
	NeededBy  []string  `json:"needed_by"`
}

func listArtifacts(ctx context.Context, p *project, asJSON bool) error {
	l := artifactList{Schema: "jupiter.artifacts/v1", Artifacts: []listedArtifact{}}
	err := p.db.View(ctx, func(tx *state.Tx) error {
		live, err := tx.Live()
		if err != nil {
			return err
		}
		for a, err := range tx.Artifacts() {
			if err != nil {
				return err
			}
			act, _, err := tx.Action(a.MadeBy)
			if err != nil {
				return err
			}
			l.Artifacts = append(l.Artifacts, listedArtifact{a.Digest, a.Tree, a.Size, a.MediaType, act.Address, a.At, append([]string{}, live[a.Digest]...)})
			l.Bytes += a.Size
		}
		return nil
	})
	if err != nil {
		return err
	}
	if asJSON {
		return p.w.json(l)
	}
	viewArtifacts(p.w, l)
	return nil
}

func viewArtifacts(w *world, l artifactList) {
	if len(l.Artifacts) == 0 {
		fmt.Fprintln(w.out, "There is no artifact yet.")
		return
	}
	var rows [][]string
	for _, a := range l.Artifacts {
		needed := "nothing"
		if n := len(a.NeededBy); n > 0 {
			needed = a.NeededBy[0]
			if n > 1 {
				needed += fmt.Sprintf(", and %d more", n-1)
			}
		}
		rows = append(rows, []string{brief(a.Digest), sizeText(a.Bytes), orNone(a.MadeBy), needed})
	}
	table(w.out, "", []string{"digest", ">size", "made by", "needed by"}, rows)
	fmt.Fprintf(w.out, "\n%s, %s.\n", plural(len(l.Artifacts), "artifact"), sizeText(l.Bytes))
}
