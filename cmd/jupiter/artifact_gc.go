package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"jupiter/state"
)

type artifactGCOptions struct {
	careOptions
	json bool
	dry  bool
}

func newArtifactGCCommand(w *world) *cobra.Command {
	var o artifactGCOptions
	cmd := &cobra.Command{
		Use:   "gc",
		Short: "Remove the artifacts that nothing needs",
		Long: `Remove the artifacts that no result, no progress, no generator, no decision and no sealed benchmark needs: what an
address had that jupiter state rm has forgotten, and what a process left that was killed. Damaged bytes go once
something good has taken their place. It is refused while another command changes the state.

Exit status: 0 done, 1 error.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return changing(cmd.Context(), w, &o.careOptions, "artifact gc", func(p *project) error { return collectArtifacts(cmd.Context(), p, &o) })
		},
	}
	o.addFlags(cmd)
	addJSON(cmd, &o.json, "artifact-gc")
	cmd.Flags().BoolVar(&o.dry, "dry-run", false, "only say what would be removed")
	return cmd
}

// artifactGC is what artifact gc --json writes.
type artifactGC struct {
	Schema  string            `json:"schema"`
	DryRun  bool              `json:"dry_run"`
	Removed []removedArtifact `json:"removed"`
	Bytes   int64             `json:"bytes"` // of Removed
	Kept    int               `json:"kept"`
}

type removedArtifact struct {
	Digest    string `json:"digest"`
	Tree      bool   `json:"tree"`
	Bytes     int64  `json:"bytes"`
	MediaType string `json:"media_type"`
	MadeBy    string `json:"made_by"` // address; "": not known any more
	Why       string `json:"why"`
}

func collectArtifacts(ctx context.Context, p *project, o *artifactGCOptions) error {
	var c state.Collection
	collect := func() (err error) {
		c, err = p.db.Collect(ctx, o.dry)
		return err
	}
	var err error
	if o.dry {
		err = collect()
	} else {
		err = p.checked(ctx, collect)
	}
	if err != nil {
		return err
	}
	g := collected(c, o.dry)
	if o.json {
		return p.w.json(g)
	}
	viewGC(p.w, g)
	return nil
}

func collected(c state.Collection, dry bool) artifactGC {
	g := artifactGC{Schema: "jupiter.artifact-gc/v1", DryRun: dry, Removed: []removedArtifact{}, Bytes: c.Bytes, Kept: c.Kept}
	for _, a := range c.Artifacts {
		why := "nothing needs it"
		if !a.Recorded {
			why = "it was never recorded"
		}
		g.Removed = append(g.Removed, removedArtifact{a.Digest, a.Tree, a.Size, a.MediaType, a.Made, why})
	}
	for _, a := range c.Aside {
		g.Removed = append(g.Removed, removedArtifact{Digest: a.Digest, Bytes: a.Bytes, Why: "damaged bytes that nothing needs any more"})
	}
	return g
}

func viewGC(w *world, g artifactGC) {
	var rows [][]string
	for _, a := range g.Removed {
		rows = append(rows, []string{brief(a.Digest), sizeText(a.Bytes), orNone(a.MadeBy), a.Why})
	}
	if len(rows) > 0 {
		table(w.out, "", []string{"digest", ">size", "made by", "why"}, rows)
		fmt.Fprintln(w.out)
	}
	verb := "Removed"
	if g.DryRun {
		verb = "Would remove"
	}
	fmt.Fprintf(w.out, "%s %s, %s; %d kept.\n", verb, plural(len(g.Removed), "artifact"), sizeText(g.Bytes), g.Kept)
}
