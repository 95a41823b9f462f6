package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"jupiter/state"
)

type artifactVerifyOptions struct{ stateOptions }

func newArtifactVerifyCommand(w *world) *cobra.Command {
	var o artifactVerifyOptions
	cmd := &cobra.Command{
		Use:   "verify [DIGEST...]",
		Short: "Read the stored artifacts and compare them with their digests",
		Long: `Read every stored artifact, or those that are named, and compare its bytes with its digest. A digest may be cut
short to the digits that tell it from others. What is missing or damaged is named with what made it and what needs it.

A plan finds missing files, and files that somebody wrote to, by itself. A byte that a disk has changed leaves no such
trace: this command finds it, and marks the artifact so that the next plan finds it too and plans for it. The damaged
bytes stay where they are until something good takes their place.

Exit status: 0 every artifact is whole, 1 one is not, or another error.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return reading(cmd.Context(), w, &o.targetOptions, "", func(p *project) error { return verifyArtifacts(cmd.Context(), p, args, o.json) })
		},
	}
	o.addFlags(cmd)
	addJSON(cmd, &o.json, "artifact-verify")
	return cmd
}

// artifactVerify is what artifact verify --json writes.
type artifactVerify struct {
	Schema    string         `json:"schema"`
	OK        bool           `json:"ok"` // every artifact is whole
	Artifacts int            `json:"artifacts"`
	Bytes     int64          `json:"bytes"` // that were read or should have been
	Faulty    []state.Faulty `json:"faulty"`
}

func verifyArtifacts(ctx context.Context, p *project, args []string, asJSON bool) error {
	all, err := p.recordedArtifacts(ctx, args)
	if err != nil {
		return err
	}
	v := artifactVerify{Schema: "jupiter.artifact-verify/v1", Artifacts: len(all), Faulty: []state.Faulty{}}
	var total int64
	for _, a := range all {
		total += a.Size
	}
	show := newMeter(p.w, total)
	for i, a := range all {
		show.at(i, len(all), v.Bytes)
		f, err := p.db.VerifyArtifact(ctx, a)
		if err != nil {
			show.done()
			return err
		}
		if f != nil {
			v.Faulty = append(v.Faulty, *f)
		}
		v.Bytes += a.Size
	}
	show.done()
	v.OK = len(v.Faulty) == 0
	if asJSON {
		err = p.w.json(v)
	} else {
		viewVerify(p.w, v)
	}
	if err == nil && !v.OK {
		err = code(exitError)
	}
	return err
}

// recordedArtifacts reads the records of the artifacts that a person names; of all where nobody names one.
func (p *project) recordedArtifacts(ctx context.Context, names []string) ([]state.Artifact, error) {
	var all []state.Artifact
	var digests []string
	err := p.db.View(ctx, func(tx *state.Tx) error {
		for a, err := range tx.Artifacts() {
			if err != nil {
				return err
			}
			all, digests = append(all, a), append(digests, a.Digest)
		}
		return nil
	})
	if err != nil || len(names) == 0 {
		return all, err
	}
	wanted := map[string]bool{}
	for _, name := range names {
		d, err := findDigest(digests, name)
		if err != nil {
			return nil, err
		}
		wanted[d] = true
	}
	var some []state.Artifact
	for _, a := range all {
		if wanted[a.Digest] {
			some = append(some, a)
		}
	}
	return some, nil
}

func viewVerify(w *world, v artifactVerify) {
	for _, f := range v.Faulty {
		fmt.Fprintf(w.out, "%s is %s (%s, made by %s)\n", f.Digest, f.Condition, sizeText(f.Size), orNone(f.Made))
		for _, n := range f.NeededBy {
			fmt.Fprintf(w.out, "  needed: %s\n", n)
		}
		if len(f.NeededBy) == 0 {
			fmt.Fprintln(w.out, "  nothing needs it; jupiter artifact gc removes it")
		}
	}
	if v.OK {
		fmt.Fprintf(w.out, "%s, %s: every one is whole.\n", plural(v.Artifacts, "artifact"), sizeText(v.Bytes))
		return
	}
	fmt.Fprintf(w.out, "%s, %s: %d missing or damaged. jupiter plan says what comes of those that the next turn uses; a copy of the project has the others.\n", plural(v.Artifacts, "artifact"), sizeText(v.Bytes), len(v.Faulty))
}

// meter says on a terminal how far a long reading is. Elsewhere it says nothing.
type meter struct {
	w     *world
	on    bool
	total int64
	last  time.Time
}

// meterEvery is how often it says so.
const meterEvery = 200 * time.Millisecond

func newMeter(w *world, total int64) *meter {
	return &meter{w: w, on: w.terminal(w.err), total: total, last: w.now()}
}

func (m *meter) at(i, n int, bytes int64) {
	if now := m.w.now(); m.on && now.Sub(m.last) >= meterEvery {
		m.last = now
		fmt.Fprintf(m.w.err, "\r\x1b[K%d of %d artifacts, %s of %s", i, n, sizeText(bytes), sizeText(m.total))
	}
}

func (m *meter) done() {
	if m.on {
		fmt.Fprint(m.w.err, "\r\x1b[K")
	}
}
