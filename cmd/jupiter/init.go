package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"

	"jupiter/plan/config"
	"jupiter/plugins/host"
	"jupiter/plugins/install"
	"jupiter/plugins/lockfile"
	"jupiter/state"
	"jupiter/state/durable"
)

type initOptions struct {
	targetOptions
	fetchOptions
	upgrade bool
	json    bool
}

// fetchOptions say where plugins may be fetched from, and how long to wait for who changes them or uses them.
type fetchOptions struct {
	lockOptions
	pluginDir string
	offline   bool
}

func (o *fetchOptions) addFlags(cmd *cobra.Command) {
	o.lockOptions.addFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.pluginDir, "plugin-dir", "", "take all plugins from the mirror `DIR`, whatever their sources are")
	f.BoolVar(&o.offline, "offline", false, "refuse what needs the network")
	must(cmd.MarkFlagDirname("plugin-dir"))
}

func newInitCommand(w *world) *cobra.Command {
	var o initOptions
	cmd := &cobra.Command{
		Use:   "init [DIR|FILE]",
		Short: "Fetch the plugins that the configuration requires, and lock them",
		Long: `Choose a version of each plugin in required_plugins, fetch it unless it is there, ask it who it is, and
write .jupiter.lock.hcl: version, protocol, and the SHA-256 that it must have whenever it is started.
Commit that file.

What is locked stays as it is, and is fetched again where it is gone. --upgrade chooses anew, and locks
programs as they are now. A plugin in dev_overrides of the user's configuration is left alone.

Exit status: 0 done, 1 error; then the lock file is as it was.`,
		Args: maxOneArg,
		RunE: func(cmd *cobra.Command, args []string) error { return initialise(cmd.Context(), w, &o, arg(args)) },
	}
	cmd.Flags().StringVarP(&o.chdir, "chdir", "C", "", "work on the plan in `DIR`")
	o.fetchOptions.addFlags(cmd)
	cmd.Flags().BoolVar(&o.upgrade, "upgrade", false, "choose the newest versions that will do, and lock programs as they are now")
	addJSON(cmd, &o.json, "init")
	return cmd
}

// initResult is what init --json writes.
type initResult struct {
	Schema    string       `json:"schema"`
	Lock      string       `json:"lock"`    // the file
	Changed   bool         `json:"changed"` // it was written
	Plugins   []initPlugin `json:"plugins"` // in the order of names
	Forgotten []string     `json:"forgotten"`
}

type initPlugin struct {
	Name     string `json:"name"`
	Action   string `json:"action"` // locked, upgraded, installed, kept, overridden
	Version  string `json:"version"`
	Was      string `json:"was"` // version that was locked; "": none
	Source   string `json:"source"`
	Protocol int    `json:"protocol"`
	TLS      string `json:"tls"`
	Checksum string `json:"checksum"` // SHA-256 on this platform
	Path     string `json:"path"`
}

// fetching is a configuration's requirements with what fetches them.
type fetching struct {
	*required
	path      string
	installer *install.Installer
	sources   config.Files // of the configuration, and of what else diagnostics point into
	operation *state.OperationLock
}

// close gives the operation lock back.
func (f *fetching) close() error { return f.operation.Unlock() }

// requirements reads what a configuration requires, without any plugin. It holds the operation lock from before it reads the
// lock file: what the command writes must not undo what another one has written, and an apply starts plugins until its end,
// also those that it has not needed yet.
func (o *fetchOptions) requirements(ctx context.Context, w *world, path, command string) (_ *fetching, err error) {
	cfg, files, diags := config.Requirements(path, config.Options{Version: version})
	if diags.HasErrors() {
		return nil, &configurationError{diags, files}
	}
	held, err := o.take(ctx, w, cfg.StateDir, command)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, held.Unlock())
		}
	}()
	r, diags := readRequired(w, cfg)
	for name, file := range r.files {
		files[name] = file
	}
	if diags = append(diags, r.clashes()...); diags.HasErrors() {
		return nil, &configurationError{diags, files}
	}
	f := &fetching{required: r, path: path, sources: files, operation: held}
	f.installer = &install.Installer{Dir: cfg.Dir, Store: r.store(), Platform: platform, Offline: o.offline || cfg.Offline, Env: w.environ, Identify: identify(w, cfg.Dir)}
	if o.pluginDir != "" {
		if f.installer.PluginDir, err = filepath.Abs(o.pluginDir); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// placed gives the errors of plugins the places where they are required.
func (f *fetching) placed(err error) error {
	var diags hcl.Diagnostics
	for _, e := range flatten(err) {
		var one *install.Error
		if !errors.As(e, &one) {
			return err
		}
		for _, p := range f.cfg.Plugins {
			var refusal *install.Refusal
			switch {
			case p.Name != one.Plugin:
			case errors.As(one.Err, &refusal):
				diags = append(diags, problem(p.Range, refusal.Summary, refusal.Detail))
			default:
				diags = append(diags, problem(p.Range, "Plugin cannot be had", fmt.Sprintf("The plugin %q: %v.", one.Plugin, one.Err)))
			}
		}
	}
	if len(diags) == 0 {
		return err
	}
	return &configurationError{diags, f.sources}
}

// flatten gives the errors that were joined.
func flatten(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}

func initialise(ctx context.Context, w *world, o *initOptions, arg string) (err error) {
	interrupted := watchInterrupts(ctx, w) // what is half fetched is removed
	defer interrupted.close()
	ctx = interrupted.ctx
	f, err := o.requirements(ctx, w, o.path(arg), "jupiter init")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	f.installer.Upgrade = o.upgrade
	next, done, err := f.installer.Init(ctx, f.locked(), f.lock)
	if err != nil {
		return f.placed(err)
	}
	result := initResult{Schema: "jupiter.init/v1", Lock: filepath.Join(f.cfg.Dir, lockfile.Name), Plugins: []initPlugin{}, Forgotten: []string{}}
	if info, err := os.Stat(f.path); err == nil && info.IsDir() { // a single file may require less than the directory does
		result.Forgotten = append(result.Forgotten, next.Keep(f.names())...)
	}
	if err := f.together(ctx, w, done); err != nil {
		return err
	}
	if result.Changed, err = writeLock(result.Lock, next); err != nil {
		return err
	}
	for _, name := range f.names() {
		if path, ok := f.user.overrides[name]; ok {
			result.Plugins = append(result.Plugins, initPlugin{Name: name, Action: "overridden", Path: path})
		}
		for _, d := range done {
			if p := d.Plugin; p.Name == name {
				result.Plugins = append(result.Plugins, initPlugin{name, d.Action, p.Version, d.Was, p.Source, p.Protocol, p.TLS, p.Hashes[platform], d.Program.Path})
			}
		}
	}
	if o.json {
		return w.json(result)
	}
	viewInit(w, result, f.user.path)
	return nil
}

// together starts from what would be locked, and asks all plugins for their stages: no two may offer the same.
func (f *fetching) together(ctx context.Context, w *world, done []install.Outcome) (err error) {
	if len(f.cfg.Plugins) == 0 {
		return nil
	}
	h, err := newHost(w, f.cfg.Dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	programs := map[string]host.Program{}
	for _, d := range done {
		programs[d.Plugin.Name] = d.Program
	}
	for _, p := range f.cfg.Plugins {
		if _, over := f.user.overrides[p.Name]; over {
			if programs[p.Name], err = f.program(p); err != nil {
				return err
			}
		}
	}
	if err := h.Add(programs); err != nil {
		return err
	}
	_, err = h.Stages(ctx)
	return err
}

// writeLock writes a lock file, unless there is nothing to lock and none was there.
func writeLock(path string, lock *lockfile.File) (changed bool, err error) {
	was, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return false, err
	}
	text := lock.Bytes()
	if bytes.Equal(was, text) || was == nil && len(lock.Plugins) == 0 {
		return false, nil
	}
	return true, durable.Replace(path, text)
}
