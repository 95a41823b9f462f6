package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"jupiter/state/artifact"
)

func newArtifactCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "artifact",
		Short: "Look at the stored files, prove them, and remove what nothing needs",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newArtifactListCommand(w), newArtifactVerifyCommand(w), newArtifactGCCommand(w))
	return cmd
}

// careOptions are what a command takes that changes the state or the store by hand.
type careOptions struct {
	targetOptions
	lockOptions
}

func (o *careOptions) addFlags(cmd *cobra.Command) {
	o.targetOptions.addFlags(cmd)
	o.lockOptions.addFlags(cmd)
}

// changing opens a project for such a command, under the operation lock: it is refused while an apply runs.
func changing(ctx context.Context, w *world, o *careOptions, name string, do func(*project) error) (err error) {
	p, err := open(ctx, w, &o.targetOptions, o.path(""), access{write: true, lock: &o.lockOptions, name: "jupiter " + name})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	return do(p)
}

// checked makes a change by hand and proves the invariants afterwards. What did not hold before is not its doing.
func (p *project) checked(ctx context.Context, change func() error) error {
	before, err := p.db.Check(ctx)
	if err != nil {
		return err
	}
	if err := change(); err != nil {
		return err
	}
	after, err := p.db.Check(ctx)
	if err != nil {
		return err
	}
	broken := 0
	for _, v := range after {
		if v.Must() && !slices.Contains(before, v) {
			fmt.Fprintln(p.w.err, v)
			broken++
		}
	}
	if broken > 0 {
		return fmt.Errorf("the state has %s now; jupiter state restore puts a copy of before back", plural(broken, "violated must"))
	}
	return nil
}

// findDigest finds the artifact that a person means: a digest, or the digits that it begins with, at least four.
func findDigest(all []string, text string) (string, error) {
	digits := strings.TrimPrefix(text, "sha256:")
	var found []string
	for _, d := range all {
		if strings.HasPrefix(strings.TrimPrefix(d, "sha256:"), digits) {
			found = append(found, d)
		}
	}
	switch {
	case len(digits) < 4 || strings.Trim(digits, "0123456789abcdef") != "":
		return "", usageError{fmt.Errorf("%q is no digest: give sha256: and its digits, or the first four or more of them", text)}
	case len(found) == 0:
		return "", fmt.Errorf("%w: %s; jupiter artifact list says which there are", artifact.ErrMissing, text)
	case len(found) > 1:
		return "", fmt.Errorf("%s is the beginning of %d digests: %s; give more digits", text, len(found), list(found))
	}
	return found[0], nil
}
