package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	gort "runtime"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"jupiter/plan/addr"
	"jupiter/plan/config"
	"jupiter/plugins/host"
	"jupiter/plugins/schema"
	"jupiter/runtime"
	"jupiter/state"
)

// configurationError is a configuration that cannot be used.
type configurationError struct {
	diags hcl.Diagnostics
	files config.Files
}

func (e *configurationError) Error() string { return e.diags.Error() }

// loaded is a configuration with the host that knows its plugins.
type loaded struct {
	path  string // as the user spelled it: a directory, or a file
	cfg   *config.Config
	files config.Files
	diags hcl.Diagnostics
	scope *config.Scope // of the root module; nil: there is none
	host  *host.Host
}

// project is what a command works on.
type project struct {
	*loaded
	w      *world
	db     *state.DB
	runner *runtime.Runner
	lock   *state.OperationLock // nil: not held
}

// path gives the configuration's path from -C and a command's argument. An argument is relative to -C.
func (o *targetOptions) path(arg string) string {
	switch {
	case arg == "" && o.chdir == "":
		return "."
	case arg == "":
		return o.chdir
	case filepath.IsAbs(arg):
		return arg
	}
	return filepath.Join(o.chdir, arg)
}

// load reads the configuration at path and lets the plugins judge their parts of it. What is wrong with the
// configuration is in the result; the error is for everything else. The caller closes the host.
func load(ctx context.Context, w *world, o *targetOptions, path string) (*loaded, error) {
	l, err := read(ctx, w, o, path)
	if err != nil || l.diags.HasErrors() {
		return l, err
	}
	more, err := validateBodies(ctx, l.host, l.cfg)
	if err != nil {
		return nil, errors.Join(err, l.host.Close())
	}
	l.diags = append(l.diags, more...)
	return l, nil
}

// read is load without the plugins' judgement.
func read(ctx context.Context, w *world, o *targetOptions, path string) (*loaded, error) {
	vars, err := o.variables()
	if err != nil {
		return nil, err
	}
	dir, _, err := config.FindModule(path, slices.Sorted(maps.Keys(o.overlay))...)
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	h, err := newHost(w, dir)
	if err != nil {
		return nil, err
	}
	s := &schemas{ctx: ctx, host: h}
	l := &loaded{path: path, host: h}
	var more config.Files
	var unusable error
	l.cfg, l.scope, l.files, l.diags = config.Open(path, config.Options{Vars: vars, VarFiles: o.varFiles, Env: w.getenv, Schemas: s, Version: version, Overlay: o.overlay, Unbuilt: o.unbuilt,
		Plugins: func(cfg *config.Config) (diags hcl.Diagnostics) {
			more, diags, unusable = addRequired(w, h, cfg)
			return diags
		}})
	maps.Copy(l.files, more)
	if l.cfg != nil {
		w.project = runtime.Filed{StateDir: l.cfg.StateDir, Dir: l.cfg.Dir}
	}
	if err := errors.Join(unusable, s.broken); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return l, nil
}

// schemas asks the host for config.Load. A plugin that cannot be asked is no fault of the configuration.
type schemas struct {
	ctx    context.Context
	host   *host.Host
	broken error
}

func (s *schemas) Stage(kind, typ string) (*schema.Stage, error) {
	if _, err := s.host.Stages(s.ctx); err != nil {
		s.broken = err
		return nil, err
	}
	st, err := s.host.Stage(s.ctx, kind, typ)
	if err != nil {
		return nil, err
	}
	s.host.Warm(s.ctx, st) // it will be asked to judge what the configuration says to it
	return st.Schema, nil
}

// newHost makes a host with the plugins that come with the program.
func newHost(w *world, dir string) (*host.Host, error) {
	exe, err := w.executable()
	if err != nil {
		return nil, fmt.Errorf("find the program itself: %w", err)
	}
	return hostOf(w, dir, builtinPrograms(exe), cacheDir(w))
}

// hostOf makes a host of programs, which it confines.
func hostOf(w *world, dir string, programs map[string]host.Program, cache string) (*host.Host, error) {
	exe, err := w.executable()
	if err != nil {
		return nil, fmt.Errorf("find the program itself: %w", err)
	}
	return host.New(host.Options{Plugins: programs, Wrapper: []string{exe, confineCommand}, Version: version, Env: w.environ, Dir: dir, CacheDir: cache, StallAfter: stallAfter})
}

// stallAfter is how long a plugin may say nothing while an answer is due. A slow model behind a server says something
// well before; a plugin that hangs would hold a run that is left alone for a week.
const stallAfter = 30 * time.Minute

// cacheDir is where descriptions of plugins are kept between runs; "" where the user has no cache that can be written.
func cacheDir(w *world) string {
	base, ok := w.getenv("XDG_CACHE_HOME")
	if !ok || !filepath.IsAbs(base) {
		home, ok := w.getenv("HOME")
		if !ok || !filepath.IsAbs(home) {
			return ""
		}
		base = filepath.Join(home, ".cache")
	}
	dir := filepath.Join(base, "jupiter", "plugins")
	if os.MkdirAll(dir, 0o755) != nil {
		return ""
	}
	probe, err := os.CreateTemp(dir, ".probe-")
	if err != nil {
		return ""
	}
	probe.Close()
	os.Remove(probe.Name())
	return dir
}

// validateBodies lets each plugin look at what the configuration says to it.
func validateBodies(ctx context.Context, h *host.Host, cfg *config.Config) (hcl.Diagnostics, error) {
	var items []host.Item
	type place struct {
		attrs map[string]config.Attr
		block hcl.Range
	}
	var places []place
	runs := cfg.RunsModels()
	add := func(kind, typ string, b config.Body, block hcl.Range, runsModels bool) error {
		h.Conceal(b.Schema.Secrets(b.Value)...)
		conf, err := schema.CanonicalJSON(b.Value)
		if err != nil {
			return err
		}
		items = append(items, host.Item{Kind: kind, Type: typ, Config: conf, RunsModels: runsModels})
		places = append(places, place{b.Attrs, block})
		return nil
	}
	for _, d := range cfg.Domains {
		for _, s := range d.Sources {
			if err := add("collector", s.Type, s.Body, s.Range, false); err != nil {
				return nil, fmt.Errorf("%s: %w", s.Addr, err)
			}
		}
	}
	for _, s := range cfg.Stages {
		if err := add(s.Kind, s.Type, s.Body, s.Range, runs[s]); err != nil {
			return nil, fmt.Errorf("%s: %w", s.Addr, err)
		}
	}
	said, err := h.Validate(ctx, items)
	if err != nil {
		return nil, err
	}
	var diags hcl.Diagnostics
	for i, list := range said {
		for _, d := range list {
			subject := places[i].block
			if r := places[i].attrs[firstStep(d.Path)].Range; r.Filename != "" {
				subject = r
			}
			diags = append(diags, &hcl.Diagnostic{Severity: d.Severity, Summary: d.Summary, Detail: d.Detail, Subject: &subject})
		}
	}
	return diags, nil
}

// firstStep is the attribute that a plugin's diagnostic is about; "": the whole block.
func firstStep(path cty.Path) string {
	if len(path) > 0 {
		if step, ok := path[0].(cty.GetAttrStep); ok {
			return step.Name
		}
	}
	return ""
}

// access is what a command means to do with the state.
type access struct {
	write bool
	warn  bool         // show the configuration's warnings
	lock  *lockOptions // nil: the operation lock is not taken
	sink  runtime.Sink // nil: events are dropped
	par   int          // actions at once
	name  string       // of the command, for whoever meets its lock
}

// open loads the configuration at path and puts together what works on it. A
// configuration with errors is a *configurationError.
func open(ctx context.Context, w *world, o *targetOptions, path string, a access) (*project, error) {
	l, err := load(ctx, w, o, path)
	if err != nil {
		return nil, err
	}
	p, err := assemble(ctx, w, l, a)
	if err != nil {
		return nil, errors.Join(err, l.host.Close())
	}
	return p, nil
}

func assemble(ctx context.Context, w *world, l *loaded, a access) (*project, error) {
	if l.diags.HasErrors() {
		return nil, &configurationError{l.diags, l.files}
	}
	if a.warn {
		w.diagnostics(l.files, l.diags)
	}
	p := &project{loaded: l, w: w}
	var err error
	p.db, err = state.Open(l.cfg.StateDir, state.Options{Clock: w.now, Hook: w.hook, Links: links(l.cfg), ReadOnly: !a.write})
	if err != nil {
		return nil, err
	}
	who, machine := operator(w)
	if a.lock != nil {
		if p.lock, err = a.lock.take(ctx, w, l.cfg.StateDir, a.name); err != nil {
			return nil, err
		}
	}
	if a.sink == nil {
		a.sink = runtime.Discard{}
	}
	p.runner = &runtime.Runner{Config: l.cfg, DB: p.db, Host: l.host, Sink: a.sink, Log: slog.New(slog.DiscardHandler), Clock: w.now,
		Who: who, Machine: machine, PID: os.Getpid(), Parallel: max(a.par, 1), Force: w.force,
		CPUs: gort.NumCPU(), History: machineHistory(w), Env: w.environ,
		Client: &http.Client{Transport: http.DefaultTransport}}
	// Where they cannot be had, the forecast is not compared with them.
	p.runner.Memory, _ = machineMemory()
	p.runner.Disk, _ = freeDisk(existing(l.cfg.StateDir))
	return p, nil
}

// operator is who works here, and on which machine.
func operator(w *world) (who, machine string) {
	machine, err := os.Hostname()
	if err != nil {
		machine = "localhost"
	}
	return userName(w) + "@" + machine, machine
}

// take takes the operation lock of a state, for a command.
func (o *lockOptions) take(ctx context.Context, w *world, dir, command string) (*state.OperationLock, error) {
	if o.timeout < 0 {
		return nil, usageError{fmt.Errorf("--lock-timeout %s: it is a time to wait, such as 30s; 0 does not wait", o.timeout)}
	}
	who, machine := operator(w)
	return state.Lock(ctx, dir, state.Holder{Who: who, PID: os.Getpid(), Host: machine, Since: w.now(), Command: command}, o.timeout)
}

// Close ends the plugins and gives the lock back.
func (p *project) Close() error {
	err := p.host.Close()
	if p.lock != nil {
		err = errors.Join(err, p.lock.Unlock())
	}
	return err
}

// links are the directories of the generators: one a cycle where there are several.
func links(cfg *config.Config) map[addr.Address]string {
	dirs := map[addr.Address]string{}
	for _, c := range cfg.Cycles {
		dirs[c.Addr] = filepath.Join(cfg.Dir, "generators")
		if len(cfg.Cycles) > 1 {
			dirs[c.Addr] = filepath.Join(cfg.Dir, "generators", c.Name)
		}
	}
	return dirs
}

func userName(w *world) string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	if name, ok := w.getenv("USER"); ok && name != "" {
		return name
	}
	return "unknown"
}

// cycle finds the self_improvement block that a command is about.
func (p *project) cycle(o cycleOptions) (*config.Cycle, error) {
	var names []string
	for _, c := range p.cfg.Cycles {
		if c.Name == o.name || string(c.Addr) == o.name || o.name == "" && len(p.cfg.Cycles) == 1 {
			return c, nil
		}
		names = append(names, c.Name)
	}
	switch {
	case len(names) == 0 && o.name == "":
		return nil, fmt.Errorf("%s has no self_improvement block", p.path)
	case o.name == "":
		return nil, usageError{fmt.Errorf("%s has several self_improvement blocks; name one with --cycle: %s", p.path, list(names))}
	}
	return nil, fmt.Errorf("%s has no self_improvement block %q; it has %s", p.path, o.name, list(names))
}

// newRunID names a run so that names sort by time.
func newRunID(now time.Time) (string, error) {
	var b [3]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", err
	}
	return now.UTC().Format("20060102T150405.000Z") + "-" + hex.EncodeToString(b[:]), nil
}
