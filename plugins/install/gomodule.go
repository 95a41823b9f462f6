package install

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

// goPackage is the path of a Go package in a module with tagged versions. The go command finds, verifies and builds it, as
// it would for anybody: through GOPROXY, against the checksum database, from its cache.
//
// The same version is built by the same release of Go, without cgo, for the least processor of the platform, and so gives
// the same bytes on all machines.
type goPackage struct {
	path   string
	plugin string
	env    []string // of the user
}

func (g goPackage) String() string { return g.path }

// ErrNoGo says that a plugin has to be built and there is no go command.
var ErrNoGo = errors.New("it has to be built, and there is no go command: install Go (https://go.dev/dl), or take the plugin from a mirror with --plugin-dir")

// listed is what go list says of a module.
type listedModule struct {
	Path     string
	Versions []string
	Error    *struct{ Err string }
}

// module finds the module of the package: the longest prefix of its path that is one.
func (g goPackage) module(ctx context.Context) (*listedModule, error) {
	var first error
	for p := g.path; strings.Contains(p, "/"); p = path.Dir(p) {
		m, err := g.list(ctx, p)
		if err == nil && len(m.Versions) > 0 {
			return m, nil
		}
		if err != nil && !notFound(err) {
			return nil, err
		}
		if err == nil {
			err = fmt.Errorf("%s has no tagged version", p)
		}
		if first == nil {
			first = err
		}
	}
	return nil, fmt.Errorf("there is no module for %s: %w", g.path, first)
}

// notFound says whether the go command got an answer, and it was that there is no such module. Anything else may be
// different in a minute.
func notFound(err error) bool {
	for _, s := range []string{"404", "410", "no matching versions", "not found", "no such file", "no go-import meta tags", "unrecognized import path"} {
		if strings.Contains(err.Error(), s) {
			return true
		}
	}
	return false
}

func (g goPackage) list(ctx context.Context, p string) (*listedModule, error) {
	out, err := g.run(ctx, nil, "list", "-m", "-versions", "-json", p)
	if err != nil {
		return nil, err
	}
	m := &listedModule{}
	if err := json.Unmarshal(out, m); err != nil {
		return nil, fmt.Errorf("go list of %s: %w", p, err)
	}
	if m.Error != nil {
		return nil, errors.New(m.Error.Err)
	}
	return m, nil
}

func (g goPackage) versions(ctx context.Context, _ string) ([]string, error) {
	m, err := g.module(ctx)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, v := range m.Versions {
		if semver.Build(v) == "" { // +incompatible is of before modules
			all = append(all, strings.TrimPrefix(v, "v"))
		}
	}
	return all, nil
}

func (g goPackage) fetch(ctx context.Context, version, platform, toolchain, into string) (string, error) {
	work, remove, err := draft(filepath.Dir(into)) // beside it in the store, where it is swept up
	if err != nil {
		return "", err
	}
	defer remove()
	env, err := g.buildEnv(ctx, platform, toolchain, work)
	if err != nil {
		return "", err
	}
	_, err = g.run(ctx, env, "install", "-trimpath", "-buildvcs=false", g.path+"@v"+version)
	if err != nil && strings.Contains(err.Error(), "replace directives") {
		err = g.buildCopy(ctx, env, version, work)
	}
	if err != nil {
		return "", err
	}
	built, err := g.built(filepath.Join(work, "bin"))
	if err != nil {
		return "", err
	}
	by, err := builtBy(built)
	if err != nil {
		return "", fmt.Errorf("read what built %s: %w", g.path, err)
	}
	b, err := os.ReadFile(built)
	if err != nil {
		return "", err
	}
	return by, os.WriteFile(filepath.Join(into, g.plugin), b, 0o755)
}

// buildEnv is what a build must not take from the user's environment. Programs are installed below work.
func (g goPackage) buildEnv(ctx context.Context, platform, toolchain, work string) ([]string, error) {
	cache, err := g.run(ctx, nil, "env", "GOMODCACHE", "GOVERSION")
	if err != nil {
		return nil, err
	}
	modules, have, _ := strings.Cut(strings.TrimSpace(string(cache)), "\n")
	goos, arch, _ := strings.Cut(platform, "_")
	env := []string{"GOPATH=" + work, "GOBIN=", "GOMODCACHE=" + modules, "GOOS=" + goos, "GOARCH=" + arch, "CGO_ENABLED=0", "GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT="}
	if toolchain != "" && toolchain != have {
		env = append(env, "GOTOOLCHAIN="+toolchain)
	}
	return env, nil
}

// buildCopy builds a module as its author does, in a copy of it. go install takes no module whose go.mod replaces another
// one, and that is how a plugin comes by an SDK whose own path no proxy serves: replace jupiter => example.com/fork v1.0.0.
func (g goPackage) buildCopy(ctx context.Context, env []string, version, work string) error {
	m, err := g.module(ctx)
	if err != nil {
		return err
	}
	out, err := g.run(ctx, nil, "mod", "download", "-json", m.Path+"@v"+version)
	if err != nil {
		return err
	}
	var at struct{ Dir string }
	if err := json.Unmarshal(out, &at); err != nil || at.Dir == "" {
		return errors.Join(err, fmt.Errorf("go mod download of %s gave no directory", m.Path))
	}
	dir := filepath.Join(work, "module")
	if err := os.CopyFS(dir, os.DirFS(at.Dir)); err != nil {
		return err
	}
	bin := filepath.Join(work, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return err
	}
	if err := wholeModule(dir); err != nil {
		return err
	}
	_, err = g.runIn(ctx, dir, append(env, "GOFLAGS=-mod=readonly"), "build", "-trimpath", "-buildvcs=false", "-o", filepath.Join(bin, g.plugin), g.path)
	return err
}

// wholeModule refuses a published module that is built with a directory beside it, or with one that has a go.mod of its own:
// neither is published with it.
func wholeModule(dir string) error {
	name := filepath.Join(dir, "go.mod")
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	mod, err := modfile.Parse(name, text, nil) // ParseLax leaves replacements out
	if err != nil {
		return err
	}
	for _, r := range mod.Replace {
		if r.New.Version != "" {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(r.New.Path), "go.mod")); err != nil {
			return fmt.Errorf("its go.mod replaces %s by %s, which is no part of the published module: a directory with a go.mod of its own never is. Its author can make the SDK's copy part of it (jupiter plugin sdk --lang go sdk), or replace the module by a published one", r.Old.Path, r.New.Path)
		}
	}
	return nil
}

// builtBy gives the release of Go that built a program.
func builtBy(path string) (string, error) {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return "", err
	}
	by, _, _ := strings.Cut(info.GoVersion, " ") // without its experiments
	return by, nil
}

// built finds the program that go install has made: in bin, or for another platform in a directory below.
func (g goPackage) built(bin string) (string, error) {
	for _, pattern := range []string{"*", "*/*"} {
		found, err := filepath.Glob(filepath.Join(bin, pattern))
		if err != nil {
			return "", err
		}
		for _, f := range found {
			if info, err := os.Stat(f); err == nil && info.Mode().IsRegular() {
				return f, nil
			}
		}
	}
	return "", fmt.Errorf("go install of %s made no program: it is no main package", g.path)
}

// run executes the go command outside of any module.
func (g goPackage) run(ctx context.Context, env []string, args ...string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "jupiter-go-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	return g.runIn(ctx, dir, env, args...)
}

// runIn executes the go command in a directory.
func (g goPackage) runIn(ctx context.Context, dir string, env []string, args ...string) ([]byte, error) {
	tool, err := lookGo(g.env)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, tool, args...)
	cmd.Dir = dir
	cmd.WaitDelay = time.Second
	cmd.Env = append(append(append([]string{}, g.env...), "GO111MODULE=on", "GOWORK=off", "GOFLAGS=-mod=mod", "PWD="+dir), env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("go %s: %w%s%s", args[0], err, said(errs.String()), elsewhere(errs.String()))
	}
	return out.Bytes(), nil
}

// said are the last lines of a program's standard error, below the error that it comes with.
func said(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if lines[0] == "" {
		return ""
	}
	return "\n  " + strings.Join(lines[max(0, len(lines)-12):], "\n  ")
}

// elsewhere says what else there is where the go command could reach no module proxy.
func elsewhere(text string) string {
	for _, s := range []string{"dial tcp", "no such host", "connection refused", "connection reset", "i/o timeout", "TLS handshake", "GOPROXY=off", "GOPROXY list is not the empty string, but contains no entries"} {
		if strings.Contains(text, s) {
			return "\n  Nothing answers at GOPROXY. A mirror needs no network: --plugin-dir"
		}
	}
	return ""
}

// lookGo finds the go command on the PATH of an environment.
func lookGo(env []string) (string, error) {
	search := ""
	for _, kv := range env {
		if v, ok := strings.CutPrefix(kv, "PATH="); ok {
			search = v
		}
	}
	for _, dir := range filepath.SplitList(search) {
		if path := filepath.Join(dir, "go"); filepath.IsAbs(path) {
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
				return path, nil
			}
		}
	}
	return "", ErrNoGo
}
