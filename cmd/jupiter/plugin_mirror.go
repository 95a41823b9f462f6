package main

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/spf13/cobra"
)

func newPluginMirrorCommand(w *world) *cobra.Command {
	var o pluginLockOptions
	cmd := &cobra.Command{
		Use:   "mirror DIR",
		Short: "Write archives of the locked plugins, for machines without a network",
		Long: `Write an archive of each locked plugin into a directory, from which jupiter init --plugin-dir takes them
where there is no network. The directory can also be the source of plugins in required_plugins. The
same plugins give the same bytes; archives that are there already and the same are left alone.

The configuration is that of -C, or of the current directory; DIR is relative to the current directory.

Exit status: 0 done, 1 error.`,
		Args: oneArg,
		RunE: func(cmd *cobra.Command, args []string) error { return mirrorPlugins(cmd.Context(), w, &o, args[0]) },
	}
	o.addFlags(cmd)
	addJSON(cmd, &o.json, "plugin-mirror")
	return cmd
}

func mirrorPlugins(ctx context.Context, w *world, o *pluginLockOptions, into string) (err error) {
	interrupted := watchInterrupts(ctx, w) // what is half fetched is removed
	defer interrupted.close()
	ctx = interrupted.ctx
	f, err := o.requirements(ctx, w, o.path(""), "jupiter plugin mirror")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	dir, err := filepath.Abs(into)
	if err != nil {
		return err
	}
	done, err := f.installer.Mirror(ctx, f.locked(), f.lock, o.platforms, dir)
	if err != nil {
		return f.placed(err)
	}
	l := newSharedList("jupiter.plugin-mirror/v1", done)
	l.Mirror = dir
	if o.json {
		return w.json(l)
	}
	viewMirrored(w, l)
	return nil
}
