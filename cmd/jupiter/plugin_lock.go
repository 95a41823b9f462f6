package main

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/spf13/cobra"

	"jupiter/plugins/install"
	"jupiter/plugins/lockfile"
)

type pluginLockOptions struct {
	targetOptions
	fetchOptions
	platforms []string
	json      bool
}

// addFlags adds what plugin lock and plugin mirror share.
func (o *pluginLockOptions) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&o.chdir, "chdir", "C", "", "work on the plan in `DIR`")
	o.fetchOptions.addFlags(cmd)
	cmd.Flags().StringArrayVar(&o.platforms, "platform", nil, "for `OS_ARCH`, such as linux_arm64; may be repeated; without it for this machine's")
	must(cmd.RegisterFlagCompletionFunc("platform", cobra.FixedCompletions(platformsOffered, cobra.ShellCompDirectiveNoFileComp)))
}

// platformsOffered are completed; others are taken too.
var platformsOffered = []string{"darwin_amd64", "darwin_arm64", "linux_amd64", "linux_arm64"}

func must(err error) {
	if err != nil {
		panic(err) // a flag that was just defined
	}
}

func newPluginLockCommand(w *world) *cobra.Command {
	var o pluginLockOptions
	cmd := &cobra.Command{
		Use:   "lock [DIR|FILE]",
		Short: "Add the checksums of other platforms to the lock file",
		Long: `Add the checksums of the locked plugins on other platforms to .jupiter.lock.hcl, so that people there can
use them as they are locked. From a mirror the archive for the platform is taken; a Go package is built
for it. Nothing is started, and what is locked already is compared and not changed.

Exit status: 0 done, 1 error; then the lock file is as it was.`,
		Args: maxOneArg,
		RunE: func(cmd *cobra.Command, args []string) error { return lockPlugins(cmd.Context(), w, &o, arg(args)) },
	}
	o.addFlags(cmd)
	addJSON(cmd, &o.json, "plugin-lock")
	return cmd
}

// sharedList is what plugin lock --json and plugin mirror --json write.
type sharedList struct {
	Schema  string         `json:"schema"`
	Lock    string         `json:"lock,omitempty"`   // the file
	Mirror  string         `json:"mirror,omitempty"` // the directory
	Changed bool           `json:"changed"`          // something was written
	Plugins []sharedPlugin `json:"plugins"`
}

type sharedPlugin struct {
	Name     string `json:"name"`
	Version  string `json:"version"`
	Platform string `json:"platform"`
	Checksum string `json:"checksum"`
	File     string `json:"file,omitempty"` // of the mirror
	New      bool   `json:"new"`            // it was not there before
}

func newSharedList(schema string, all []install.Shared) sharedList {
	l := sharedList{Schema: schema, Plugins: []sharedPlugin{}}
	for _, s := range all {
		l.Plugins = append(l.Plugins, sharedPlugin{s.Plugin, s.Version, s.Platform, s.Checksum, s.File, s.New})
		l.Changed = l.Changed || s.New
	}
	return l
}

func lockPlugins(ctx context.Context, w *world, o *pluginLockOptions, arg string) (err error) {
	interrupted := watchInterrupts(ctx, w) // what is half fetched is removed
	defer interrupted.close()
	ctx = interrupted.ctx
	f, err := o.requirements(ctx, w, o.path(arg), "jupiter plugin lock")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	next, done, err := f.installer.Lock(ctx, f.locked(), f.lock, o.platforms)
	if err != nil {
		return f.placed(err)
	}
	l := newSharedList("jupiter.plugin-lock/v1", done)
	l.Lock = filepath.Join(f.cfg.Dir, lockfile.Name)
	if l.Changed, err = writeLock(l.Lock, next); err != nil {
		return err
	}
	if o.json {
		return w.json(l)
	}
	viewLocked(w, l)
	return nil
}
