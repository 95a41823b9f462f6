package main

import (
	"context"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"jupiter/plan/config"
	"jupiter/plugins/host"
)

type pluginListOptions struct {
	targetOptions
	json bool
}

func newPluginListCommand(w *world) *cobra.Command {
	var o pluginListOptions
	cmd := &cobra.Command{
		Use:   "list [DIR|FILE]",
		Short: "List the plugins with their versions, stages and checksums",
		Long: `List the plugins that the configuration can use: those that come with the program, and those that it
requires. Without a configuration there are the program's own.

Exit status: 0 done, 1 a plugin cannot be used, or another error.`,
		Args: maxOneArg,
		RunE: func(cmd *cobra.Command, args []string) error { return listPlugins(cmd.Context(), w, &o, arg(args)) },
	}
	cmd.Flags().StringVarP(&o.chdir, "chdir", "C", "", "work on the plan in `DIR`")
	addJSON(cmd, &o.json, "plugins")
	return cmd
}

// pluginList is what plugin list --json writes.
type pluginList struct {
	Schema  string         `json:"schema"`
	Plugins []listedPlugin `json:"plugins"` // the program's own first, then in the order of names
	Lacks   []string       `json:"lacks"`   // what this system lacks to confine them, a sentence each
}

type listedPlugin struct {
	Name       string   `json:"name"`
	Builtin    bool     `json:"builtin"`
	Overridden bool     `json:"overridden"` // by dev_overrides
	Version    string   `json:"version"`    // "": not known
	Source     string   `json:"source"`     // "": it comes with the program
	Constraint string   `json:"constraint"`
	Stages     []string `json:"stages"` // kind and type
	Checksum   string   `json:"checksum"`
	TLS        string   `json:"tls"`
	Path       string   `json:"path"`
	Problem    string   `json:"problem"` // why it cannot be used; "": it can
}

func listPlugins(ctx context.Context, w *world, o *pluginListOptions, arg string) (err error) {
	l := pluginList{Schema: "jupiter.plugins/v1", Plugins: []listedPlugin{}}
	cfg, files, err := o.forPlugins(arg)
	if err != nil {
		return err
	}
	h, err := newHost(w, cfg.Dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	exe, err := w.executable()
	if err != nil {
		return err
	}
	programs := builtinPrograms(exe)
	for _, name := range slices.Sorted(maps.Keys(programs)) {
		p := listedPlugin{Name: name, Builtin: true, Path: exe}
		p.ask(ctx, h)
		l.Plugins = append(l.Plugins, p)
	}
	more, err := requiredPlugins(ctx, w, cfg, files)
	if err != nil {
		return err
	}
	l.Plugins = append(l.Plugins, more...)
	l.Lacks = append([]string{}, h.Unconfined()...)
	if o.json {
		err = w.json(l)
	} else {
		viewPlugins(w, l)
	}
	if err == nil && slices.ContainsFunc(l.Plugins, func(p listedPlugin) bool { return p.Problem != "" }) {
		return code(exitError)
	}
	return err
}

// forPlugins reads what a configuration requires. Where nobody named one, and there is none, nothing is required.
func (o *targetOptions) forPlugins(arg string) (*config.Config, config.Files, error) {
	path := o.path(arg)
	if _, _, err := config.FindModule(path); err != nil && path == "." {
		dir, err := filepath.Abs(path)
		return &config.Config{Dir: dir}, nil, err
	}
	cfg, files, diags := config.Requirements(path, config.Options{Version: version})
	if diags.HasErrors() {
		return nil, nil, &configurationError{diags, files}
	}
	return cfg, files, nil
}

// requiredPlugins lists what a configuration requires. Each is asked by itself: one that cannot be used hides no other.
func requiredPlugins(ctx context.Context, w *world, cfg *config.Config, files config.Files) (all []listedPlugin, err error) {
	if len(cfg.Plugins) == 0 {
		return nil, nil
	}
	r, diags := readRequired(w, cfg)
	maps.Copy(r.files, files)
	if diags = append(diags, r.clashes()...); diags.HasErrors() {
		return nil, &configurationError{diags, r.files}
	}
	for _, name := range r.names() {
		for _, need := range cfg.Plugins {
			if need.Name != name {
				continue
			}
			p, err := r.list(ctx, w, need)
			if err != nil {
				return nil, err
			}
			all = append(all, p)
		}
	}
	return all, nil
}

func (r *required) list(ctx context.Context, w *world, need *config.RequiredPlugin) (p listedPlugin, err error) {
	p = listedPlugin{Name: need.Name, Source: need.Source, Constraint: need.Constraint(), Stages: []string{}}
	_, p.Overridden = r.user.overrides[need.Name]
	if locked := r.lock.Find(need.Name); locked != nil && !p.Overridden {
		p.Version, p.TLS, p.Checksum = locked.Version, locked.TLS, locked.Hashes[platform]
	}
	program, err := r.program(need)
	if err != nil {
		p.Problem = err.Error()
		return p, nil
	}
	p.Path = program.Path
	h, err := hostOf(w, r.cfg.Dir, map[string]host.Program{need.Name: program}, cacheDir(w))
	if err != nil {
		return p, err
	}
	p.ask(ctx, h)
	return p, errors.Join(h.Close(), ctx.Err())
}

// ask fills in what a plugin says of itself.
func (p *listedPlugin) ask(ctx context.Context, h *host.Host) {
	p.Stages = []string{}
	id, err := h.Identify(ctx, p.Name)
	if err == nil && id.Name != p.Name {
		err = errors.New("it calls itself " + id.Name)
	}
	if err != nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		p.Problem = strings.TrimPrefix(first, "plugin "+p.Name+": ")
		return
	}
	p.Version, p.Checksum = id.Version, id.Checksum
	if id.TLS != host.TLSDetect { // it was not started
		p.TLS = string(id.TLS)
	}
	for _, s := range id.Stages {
		p.Stages = append(p.Stages, s.Kind+" "+s.Type)
	}
}
