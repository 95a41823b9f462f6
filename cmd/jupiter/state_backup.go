package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

func newStateBackupCommand(w *world) *cobra.Command {
	var o targetOptions
	cmd := &cobra.Command{
		Use:   "backup [FILE]",
		Short: "Copy the state to a file",
		Long: `Copy the state, as it is now, to FILE, which must not exist; or to a file of its own in backups, in the state's
directory, which no later backup removes. The copy has the records; artifacts stay where they are. It works beside an
apply. jupiter state restore puts a copy back.

Exit status: 0 done, 1 error.`,
		Args: maxOneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return reading(cmd.Context(), w, &o, "", func(p *project) error { return backupState(cmd.Context(), p, arg(args)) })
		},
	}
	o.addFlags(cmd)
	return cmd
}

func backupState(ctx context.Context, p *project, path string) (err error) {
	if path == "" {
		path, err = p.db.BackupByHand(ctx)
	} else {
		err = p.db.Backup(ctx, path)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(p.w.out, "Copied the state to %s\n", path)
	return nil
}
