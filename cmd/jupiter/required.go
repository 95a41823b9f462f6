package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	gort "runtime"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"jupiter/plan/config"
	"jupiter/plugins/host"
	"jupiter/plugins/install"
	"jupiter/plugins/lockfile"
)

// platform names this machine in the lock file.
const platform = gort.GOOS + "_" + gort.GOARCH

// required are the plugins that a configuration requires, with what says which programs they are.
type required struct {
	cfg   *config.Config
	user  *userConfig
	lock  *lockfile.File
	files config.Files // that diagnostics point into, besides the configuration's
}

// readRequired reads the lock file and the user's configuration. What is wrong with them is in the diagnostics.
func readRequired(w *world, cfg *config.Config) (*required, hcl.Diagnostics) {
	r := &required{cfg: cfg, files: config.Files{}, lock: &lockfile.File{}}
	var diags hcl.Diagnostics
	r.user, diags = readUserConfig(w)
	if r.user.file != nil {
		r.files[r.user.path] = r.user.file
	}
	path := filepath.Join(cfg.Dir, lockfile.Name)
	src, err := config.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return r, diags
	}
	start := hcl.Range{Filename: path, Start: hcl.InitialPos, End: hcl.InitialPos}
	if err != nil {
		return r, append(diags, problem(start, "Lock file cannot be read", err.Error()+"."))
	}
	r.files[path] = &hcl.File{Bytes: src}
	lock, more := lockfile.Parse(src, path)
	if lock != nil {
		r.lock = lock
	}
	return r, append(diags, more...)
}

// names are those of the required plugins, in order.
func (r *required) names() (names []string) {
	for _, p := range r.cfg.Plugins {
		names = append(names, p.Name)
	}
	slices.Sort(names)
	return names
}

// requirement is what one plugin has to be.
func requirement(p *config.RequiredPlugin) install.Requirement {
	return install.Requirement{Name: p.Name, Source: p.Source, Constraint: p.Constraint()}
}

// locked are the requirements that the lock file is about: of plugins that do not come with the program, and that no
// override takes the place of. They are in the order of names.
func (r *required) locked() (all []install.Requirement) {
	for _, name := range r.names() {
		for _, p := range r.cfg.Plugins {
			if _, over := r.user.overrides[name]; p.Name == name && !over {
				all = append(all, requirement(p))
			}
		}
	}
	return all
}

// store is where plugins are installed.
func (r *required) store() string { return filepath.Join(r.cfg.StateDir, "plugins") }

// clashes reports required plugins that have the name of one of the program's own.
func (r *required) clashes() (diags hcl.Diagnostics) {
	for _, p := range r.cfg.Plugins {
		if isBuiltin(p.Name) {
			diags = append(diags, problem(p.Range, "Plugin of the program's own", fmt.Sprintf("The plugin %q comes with the program. Take it out of required_plugins.", p.Name)))
		}
	}
	return diags
}

// program gives what is started for a required plugin. The error is an *install.Refusal where the lock file says too little.
func (r *required) program(p *config.RequiredPlugin) (host.Program, error) {
	if path, ok := r.user.overrides[p.Name]; ok {
		return host.Program{Path: path, TLS: host.TLSDetect}, nil
	}
	return install.Launch(requirement(p), r.lock, r.cfg.Dir, r.store(), platform)
}

// programs gives what is started for each required plugin that can be.
func (r *required) programs() (map[string]host.Program, hcl.Diagnostics) {
	diags := r.clashes()
	programs := map[string]host.Program{}
	for _, p := range r.cfg.Plugins {
		if isBuiltin(p.Name) {
			continue
		}
		program, err := r.program(p)
		var refusal *install.Refusal
		switch {
		case errors.As(err, &refusal):
			diags = append(diags, problem(p.Range, refusal.Summary, refusal.Detail))
		case err != nil:
			diags = append(diags, problem(p.Range, "Plugin cannot be used", err.Error()+"."))
		default:
			programs[p.Name] = program
		}
	}
	return programs, diags
}

// warn says on each run what is less safe than it looks.
func (r *required) warn(w *world, programs map[string]host.Program) {
	for _, name := range slices.Sorted(maps.Keys(programs)) {
		if path, ok := r.user.overrides[name]; ok {
			fmt.Fprintf(w.err, "Warning: the plugin %s is %s, as dev_overrides in %s says. It is not compared with %s.\n", name, path, r.user.path, lockfile.Name)
		} else if programs[name].TLS == host.TLSOff {
			fmt.Fprintf(w.err, "Warning: connections to the plugin %s are not secured: %s has tls = \"off\" for it.\n", name, lockfile.Name)
		}
	}
}

// addRequired gives a host the plugins that a configuration requires. The files are those that the diagnostics point into,
// besides the configuration's.
func addRequired(w *world, h *host.Host, cfg *config.Config) (config.Files, hcl.Diagnostics, error) {
	if len(cfg.Plugins) == 0 {
		return nil, nil, nil
	}
	r, diags := readRequired(w, cfg)
	if diags.HasErrors() {
		return r.files, diags, nil
	}
	programs, diags := r.programs()
	r.warn(w, programs)
	return r.files, diags, h.Add(programs)
}

// identify starts a program by itself to ask who it is.
func identify(w *world, dir string) func(context.Context, string, host.Program) (*host.Identity, error) {
	return func(ctx context.Context, name string, p host.Program) (id *host.Identity, err error) {
		h, err := hostOf(w, dir, map[string]host.Program{name: p}, "")
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, h.Close()) }()
		return h.Identify(ctx, name)
	}
}
