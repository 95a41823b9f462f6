package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"jupiter/plan/addr"
	"jupiter/state"
)

func newStateCommand(w *world) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "state",
		Short: "Look at what is recorded, check it, and look after it",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newStateListCommand(w), newStateShowCommand(w), newStateCheckCommand(w), newStateMoveCommand(w), newStateRemoveCommand(w),
		newStateBackupCommand(w), newStateRestoreCommand(w), newStateExportCommand(w))
	return cmd
}

type stateOptions struct {
	targetOptions
	json bool
}

// reading opens a project for reading and hands it to a function.
func reading(ctx context.Context, w *world, o *targetOptions, arg string, do func(*project) error) (err error) {
	p, err := open(ctx, w, o, o.path(arg), access{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	return do(p)
}

func newStateListCommand(w *world) *cobra.Command {
	var o stateOptions
	cmd := &cobra.Command{
		Use:   "list [DIR|FILE]",
		Short: "List the addresses that have a result",
		Long: `List the addresses that have a recorded result.

Exit status: 0 done, 1 error.`,
		Args: maxOneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return reading(cmd.Context(), w, &o.targetOptions, arg(args), func(p *project) error { return listState(cmd.Context(), p, o.json) })
		},
	}
	o.addFlags(cmd)
	addJSON(cmd, &o.json, "state-list")
	return cmd
}

// stateList is what state list --json writes.
type stateList struct {
	Schema    string   `json:"schema"`
	Lineage   string   `json:"lineage"`
	Serial    uint64   `json:"serial"`
	Addresses []string `json:"addresses"`
}

func listState(ctx context.Context, p *project, asJSON bool) error {
	l := stateList{Schema: "jupiter.state-list/v1", Addresses: []string{}}
	err := p.db.View(ctx, func(tx *state.Tx) error {
		l.Lineage, l.Serial = tx.Lineage(), tx.Serial()
		for _, a := range tx.Stages() {
			l.Addresses = append(l.Addresses, string(a))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if asJSON {
		return p.w.json(l)
	}
	for _, a := range l.Addresses {
		fmt.Fprintln(p.w.out, a)
	}
	return nil
}

func newStateShowCommand(w *world) *cobra.Command {
	var o stateOptions
	cmd := &cobra.Command{
		Use:   "show ADDRESS",
		Short: "Show the last result of an address, and what it came from",
		Long: `Show the last good result of an address: its outputs with their digests, and every part of the identity that it
is recorded under.

Exit status: 0 done, 1 error, for example when nothing is recorded there.`,
		Args: oneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return reading(cmd.Context(), w, &o.targetOptions, "", func(p *project) error { return showState(cmd.Context(), p, args[0], o.json) })
		},
	}
	o.addFlags(cmd)
	addJSON(cmd, &o.json, "state-show")
	return cmd
}

// stateShow is what state show --json writes.
type stateShow struct {
	Schema    string             `json:"schema"`
	Address   string             `json:"address"`
	Action    state.ActionRecord `json:"action"`
	Artifacts []state.Artifact   `json:"artifacts"` // its outputs, in the order of their names
}

func showState(ctx context.Context, p *project, address string, asJSON bool) error {
	s := stateShow{Schema: "jupiter.state-show/v1", Address: address, Artifacts: []state.Artifact{}}
	err := p.db.View(ctx, func(tx *state.Tx) error {
		rec, ok, err := tx.Stage(addr.Address(address))
		if err == nil && !ok {
			err = fmt.Errorf("nothing is recorded at %s; jupiter state list says what is", address)
		}
		if err != nil {
			return err
		}
		if s.Action, ok, err = tx.Action(rec.Action); err != nil {
			return err
		} else if !ok {
			return fmt.Errorf("%s: its action %s is not recorded; jupiter state check says more", address, rec.Action)
		}
		for _, name := range slices.Sorted(maps.Keys(s.Action.Outputs)) {
			a, ok, err := tx.Artifact(s.Action.Outputs[name].Digest)
			if err != nil {
				return err
			}
			if ok {
				s.Artifacts = append(s.Artifacts, a)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if asJSON {
		return p.w.json(s)
	}
	viewState(p.w.out, s)
	return nil
}

func viewState(out io.Writer, s stateShow) {
	a := s.Action
	fmt.Fprintf(out, "%s (%s)\n  action   %s\n  lineage  %s\n  run      %s, took %s\n", s.Address, a.Kind, a.ID, a.Lineage, a.Run, spent(a.Seconds))
	if !a.Retained {
		fmt.Fprintln(out, "  its outputs were removed by retention; it stays done")
	}
	if len(a.Result) > 0 && string(a.Result) != "null" {
		fmt.Fprintf(out, "  result   %s\n", a.Result)
	}
	fmt.Fprintln(out, "\nOutputs")
	sizes := map[string]int64{}
	for _, art := range s.Artifacts {
		sizes[art.Digest] = art.Size
	}
	var rows [][]string
	for _, name := range slices.Sorted(maps.Keys(a.Outputs)) {
		o := a.Outputs[name]
		size := "–"
		if n, ok := sizes[o.Digest]; ok {
			size = fmt.Sprint(n)
		}
		rows = append(rows, []string{name, o.Digest, size, o.MediaType})
	}
	table(out, "  ", []string{"name", "digest", ">bytes", "media type"}, rows)
	fmt.Fprintln(out, "\nMade from")
	rows = nil
	for _, name := range slices.Sorted(maps.Keys(a.Parts)) {
		rows = append(rows, []string{name, a.Parts[name]})
	}
	table(out, "  ", []string{"part", "value"}, rows)
}
