package install

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/go-version"

	"jupiter/plugins/host"
	"jupiter/plugins/lockfile"
)

// Installer fetches plugins. Its caller holds the operation lock: two installers of one store would take each other's
// drafts for what a killed process has left.
type Installer struct {
	Dir       string // of the root module
	Store     string // where plugins are installed
	Platform  string // OS_ARCH of this machine
	PluginDir string // a mirror that all plugins are taken from; "": from their sources
	Offline   bool   // what needs the network is refused
	Upgrade   bool   // choose anew what is locked
	Env       []string

	// Identify starts a program to ask who it is.
	Identify func(context.Context, string, host.Program) (*host.Identity, error)
}

// Error says why one plugin could not be had.
type Error struct {
	Plugin string
	Err    error
}

func (e *Error) Error() string { return fmt.Sprintf("plugin %s: %v", e.Plugin, e.Err) }
func (e *Error) Unwrap() error { return e.Err }

// ChangedError says that what was fetched for a locked version is not what was locked.
type ChangedError struct {
	Version    string
	From       string // where it was fetched from
	Want, Have string // SHA-256, in hexadecimal
	Toolchain  string // that built it; "": it was not built
}

func (e *ChangedError) Error() string {
	s := fmt.Sprintf("version %s is locked with other bytes than %s has: want sha256:%s, have sha256:%s", e.Version, e.From, e.Want, e.Have)
	if e.Toolchain != "" {
		s += "; it was built with " + e.Toolchain
	}
	return s + ". Where the change is meant, jupiter init --upgrade locks it; where it is not, somebody has changed the program"
}

// What Init did with a plugin.
const (
	Locked    = "locked"    // for the first time
	Upgraded  = "upgraded"  // another version, source or other bytes than before
	Installed = "installed" // as it was locked
	Kept      = "kept"      // it was locked and there already
)

// Outcome is what Init did with one plugin.
type Outcome struct {
	Action  string
	Was     string // the version that was locked; "": none
	Plugin  lockfile.Plugin
	Program host.Program
}

// Init makes the required plugins ready, and gives the lock that says so. It goes on after an error with the next plugin;
// the errors are *Error, joined. lock is not changed.
func (in *Installer) Init(ctx context.Context, required []Requirement, lock *lockfile.File) (*lockfile.File, []Outcome, error) {
	if err := sweep(in.Store); err != nil {
		return nil, nil, err
	}
	next := lock.Clone()
	var done []Outcome
	var errs []error
	for _, r := range required {
		o, err := in.init(ctx, r, lock.Find(r.Name))
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		} else if err != nil {
			errs = append(errs, &Error{r.Name, err})
			continue
		}
		next.Put(o.Plugin)
		o.Plugin = *next.Find(r.Name)
		done = append(done, o)
	}
	return next, done, errors.Join(errs...)
}

// init makes one plugin ready. was is what is locked; nil: nothing.
func (in *Installer) init(ctx context.Context, r Requirement, was *lockfile.Plugin) (Outcome, error) {
	if err := CheckSource(r.Source); err != nil {
		return Outcome{}, err
	}
	keep := was
	if was != nil && (in.Upgrade || was.Source != r.Source) {
		keep = nil
	}
	if keep != nil && !meets(keep.Version, r.Constraint) {
		return Outcome{}, fmt.Errorf("version %s is locked, and %s is required: jupiter init --upgrade chooses another one", keep.Version, r.Constraint)
	}
	from, err := in.origin(r)
	if err != nil {
		return Outcome{}, err
	}
	var o Outcome
	if from == nil {
		o, err = in.useFile(ctx, r, was, keep)
	} else {
		o, err = in.useOrigin(ctx, from, r, was, keep)
	}
	if err != nil {
		return o, err
	}
	if was != nil {
		o.Was = was.Version
	}
	if o.Action == "" {
		o.Action = action(was, keep, o.Plugin, in.Platform)
	}
	return o, nil
}

// action says what became of a plugin that was looked at anew.
func action(was, keep *lockfile.Plugin, now lockfile.Plugin, platform string) string {
	switch {
	case was == nil:
		return Locked
	case was.Version != now.Version || was.Source != now.Source || was.Hashes[platform] != "" && was.Hashes[platform] != now.Hashes[platform]:
		return Upgraded
	case keep == nil: // there is nothing newer
		return Kept
	}
	return Installed
}

// origin is where a plugin is fetched from; nil: it is a file that is used where it lies.
func (in *Installer) origin(r Requirement) (origin, error) {
	if in.PluginDir != "" {
		return mirror{in.PluginDir, r.Name}, nil
	}
	if !isLocal(r.Source) {
		return goPackage{r.Source, r.Name, in.Env}, nil
	}
	path := local(in.Dir, r.Source)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("there is nothing at %s, which is its source", path)
	case err != nil:
		return nil, err
	case info.IsDir():
		return mirror{path, r.Name}, nil
	case !info.Mode().IsRegular() || info.Mode()&0o111 == 0:
		return nil, fmt.Errorf("%s is its source, and neither an executable nor a directory of archives", path)
	}
	return nil, nil
}

// useFile locks a file that is used where it lies.
func (in *Installer) useFile(ctx context.Context, r Requirement, was, keep *lockfile.Plugin) (Outcome, error) {
	program := host.Program{Path: local(in.Dir, r.Source)}
	sum, err := host.Checksum(program)
	if err != nil {
		return Outcome{}, err
	}
	program.Checksum = sum
	if keep != nil && keep.Hashes[in.Platform] != "" {
		if want := keep.Hashes[in.Platform]; want != sum {
			return Outcome{}, &ChangedError{Version: keep.Version, From: program.Path, Want: want, Have: sum}
		}
		return in.kept(r, keep, program, Kept), nil
	}
	p, err := in.ask(ctx, r, was, keep, &program)
	if err != nil {
		return Outcome{}, err
	}
	return Outcome{Plugin: p, Program: program}, nil
}

// kept is the outcome of a plugin that is as it was locked.
func (in *Installer) kept(r Requirement, keep *lockfile.Plugin, program host.Program, action string) Outcome {
	p := *keep
	p.Constraints = r.Constraint
	program.TLS = host.TLS(p.TLS)
	return Outcome{Action: action, Plugin: p, Program: program}
}

// useOrigin installs a version of a plugin, unless it is there.
func (in *Installer) useOrigin(ctx context.Context, from origin, r Requirement, was, keep *lockfile.Plugin) (Outcome, error) {
	var want, toolchain, v string
	if keep != nil {
		v, want, toolchain = keep.Version, keep.Hashes[in.Platform], keep.Toolchain
		at := place(in.Store, r.Name, v, in.Platform)
		if program, err := find(at, r.Name); err == nil && want != "" {
			if sum, err := host.Checksum(program); err == nil && sum == want {
				program.Checksum = sum
				return in.kept(r, keep, program, Kept), in.besideSource(r, sum)
			}
		}
	}
	if err := in.reachable(from); err != nil {
		return Outcome{}, err
	}
	if v == "" {
		all, err := from.versions(ctx, in.Platform)
		if err != nil {
			return Outcome{}, err
		}
		if v, err = newest(all, r.Constraint); err != nil {
			return Outcome{}, err
		}
	}
	dir, remove, err := draft(in.Store)
	if err != nil {
		return Outcome{}, err
	}
	defer remove()
	by, err := from.fetch(ctx, v, in.Platform, toolchain, dir)
	if err != nil {
		return Outcome{}, err
	}
	program, err := in.fetched(r, from.String(), dir, v, want, by)
	if err != nil {
		return Outcome{}, err
	}
	o := Outcome{Program: program}
	if keep != nil && want != "" {
		o = in.kept(r, keep, program, Installed)
	} else {
		if o.Plugin, err = in.ask(ctx, r, was, keep, &o.Program); err != nil {
			return Outcome{}, err
		}
		if !sameVersion(o.Plugin.Version, v) {
			return Outcome{}, fmt.Errorf("%s has version %s, and the plugin calls itself version %s", from, v, o.Plugin.Version)
		}
		if by == "" && !isLocal(r.Source) { // who builds it from its source will need the same
			by, _ = builtBy(program.Path) // a program that is not Go's has none
		}
		o.Plugin.Version, o.Plugin.Toolchain = v, by
	}
	at := place(in.Store, r.Name, v, in.Platform)
	if err := settle(dir, at); err != nil {
		return Outcome{}, err
	}
	o.Program.Path, o.Program.Tree = filepath.Join(at, strings.TrimPrefix(program.Path, dir)), at
	return o, nil
}

// fetched finds the program among what was fetched, and compares it with the lock before anything starts it.
func (in *Installer) fetched(r Requirement, from, dir, version, want, by string) (host.Program, error) {
	program, err := find(dir, r.Name)
	if err != nil {
		return program, fmt.Errorf("version %s from %s: %w", version, from, err)
	}
	if program.Checksum, err = host.Checksum(program); err != nil {
		return program, err
	}
	if want != "" && want != program.Checksum {
		return program, &ChangedError{Version: version, From: from, Want: want, Have: program.Checksum, Toolchain: by}
	}
	return program, in.besideSource(r, program.Checksum)
}

// besideSource refuses a mirror's program where the source is a file that is there, and another one: the file is what
// would be started.
func (in *Installer) besideSource(r Requirement, sum string) error {
	if in.PluginDir == "" || !isLocal(r.Source) {
		return nil
	}
	path := local(in.Dir, r.Source)
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	have, err := host.Checksum(host.Program{Path: path})
	if err == nil && have != sum {
		return fmt.Errorf("its source %s is there (sha256:%s), and not what the mirror has (sha256:%s): take the file away, or leave out --plugin-dir", path, have, sum)
	}
	return err
}

// reachable refuses what needs the network where there is to be none.
func (in *Installer) reachable(from origin) error {
	if g, ok := from.(goPackage); ok && in.Offline {
		return fmt.Errorf("%s has to be fetched, and the network is not to be used (--offline, or offline = true): take it from a mirror with --plugin-dir", g.path)
	}
	return nil
}

// ask starts a program, and gives what is to be locked of it. Its TLS is settled.
func (in *Installer) ask(ctx context.Context, r Requirement, was, keep *lockfile.Plugin, program *host.Program) (lockfile.Plugin, error) {
	program.TLS = host.TLSDetect
	if keep != nil || was != nil && was.TLS == string(host.TLSOff) { // which a person has decided
		program.TLS = host.TLS(was.TLS)
	}
	id, err := in.Identify(ctx, r.Name, *program)
	if err != nil {
		return lockfile.Plugin{}, err
	}
	if id.Name != r.Name {
		return lockfile.Plugin{}, fmt.Errorf("the plugin calls itself %q: required_plugins has to name it so", id.Name)
	}
	if _, err := version.NewVersion(id.Version); err != nil {
		return lockfile.Plugin{}, fmt.Errorf("it calls its version %q, which is no version number", id.Version)
	}
	have := strings.TrimPrefix(id.Version, "v")
	if !meets(have, r.Constraint) {
		hint := ""
		if strings.Contains(have, "-") {
			hint = " (a pre-release meets a constraint only if that names one)"
		}
		return lockfile.Plugin{}, fmt.Errorf("it has version %s, and %s is required%s", have, r.Constraint, hint)
	}
	if keep != nil && !sameVersion(keep.Version, have) {
		return lockfile.Plugin{}, fmt.Errorf("version %s is locked, and it has version %s: jupiter init --upgrade locks that", keep.Version, have)
	}
	program.TLS = id.TLS
	return lockfile.Plugin{Name: r.Name, Source: r.Source, Version: have, Constraints: r.Constraint, Protocol: id.Protocol, TLS: string(id.TLS),
		Hashes: map[string]string{in.Platform: program.Checksum}}, nil
}

// platforms are those that a list names, or this one.
func (in *Installer) platforms(named []string) ([]string, error) {
	if len(named) == 0 {
		return []string{in.Platform}, nil
	}
	for _, p := range named {
		if !lockfile.IsPlatform(p) {
			return nil, fmt.Errorf("%q is no platform: write OS_ARCH, as in linux_amd64 or darwin_arm64", p)
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(named))), nil
}
