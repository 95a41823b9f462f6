package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"jupiter/state/durable"
)

// Links are the names that people use for a cycle's generators, in one directory:
//
//	generator_v1 → ../.jupiter/artifacts/sha256/ab/abcdef…
//	generator_v2 → …
//	current      → generator_v2
//
// They follow the state and decide nothing: a crash between the transaction and the link leaves an old link, which
// Repair sets right.
type Links struct {
	Dir  string
	Hook func(step string) // see Steps; nil: none
}

const linkPrefix = "generator_v"

// Ensure makes the link of a version lead to target, a path into the store. The link is relative, so that the project
// can be moved.
func (l Links) Ensure(version uint64, target string) error {
	to, err := l.relative(target)
	if err != nil {
		return err
	}
	_, err = l.set(linkName(version), to)
	return err
}

// SetCurrent makes current lead to the link of a version.
func (l Links) SetCurrent(version uint64) error {
	_, err := l.set("current", linkName(version))
	return err
}

// Current returns the version that current leads to; false: there is no such link.
func (l Links) Current() (uint64, bool, error) {
	to, err := os.Readlink(filepath.Join(l.Dir, "current"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	} else if err != nil {
		return 0, false, fmt.Errorf("read link: %w", err)
	}
	n, ok := linkVersion(to)
	if !ok {
		return 0, false, fmt.Errorf("%s leads to %s, which is no generator", filepath.Join(l.Dir, "current"), to)
	}
	return n, true, nil
}

// Repair makes the directory agree with the state: a link for each entry of targets (version → path into the store),
// none for other versions, and current as given (0: none). It returns the names that it changed, in order.
func (l Links) Repair(targets map[uint64]string, current uint64) ([]string, error) {
	var changed []string
	note := func(name string, did bool, err error) error {
		if did {
			changed = append(changed, name)
		}
		return err
	}
	if err := l.sweep(); err != nil {
		return nil, err
	}
	versions := make([]uint64, 0, len(targets))
	for v := range targets {
		versions = append(versions, v)
	}
	slices.Sort(versions)
	for _, v := range versions {
		to, err := l.relative(targets[v])
		if err != nil {
			return changed, err
		}
		did, err := l.set(linkName(v), to)
		if err := note(linkName(v), did, err); err != nil {
			return changed, err
		}
	}
	if current != 0 {
		did, err := l.set("current", linkName(current))
		if err := note("current", did, err); err != nil {
			return changed, err
		}
	} else if did, err := l.remove("current"); note("current", did, err) != nil {
		return changed, err
	}
	stale, err := l.stale(targets)
	if err != nil {
		return changed, err
	}
	for _, name := range stale {
		did, err := l.remove(name)
		if err := note(name, did, err); err != nil {
			return changed, err
		}
	}
	return changed, nil
}

// set makes a link in one step: under a temporary name first, then renamed over what was there. It does nothing where
// the link is right already, and fails where its name belongs to something that is no link.
func (l Links) set(name, to string) (bool, error) {
	path := filepath.Join(l.Dir, name)
	switch have, err := os.Readlink(path); {
	case err == nil && have == to:
		return false, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return false, fmt.Errorf("link %s: something else has this name: %w", path, err)
	}
	if err := durable.Mkdir(l.Dir); err != nil {
		return false, fmt.Errorf("link %s: %w", path, err)
	}
	temp := filepath.Join(l.Dir, "."+name+".tmp")
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("link %s: %w", path, err)
	}
	if err := os.Symlink(to, temp); err != nil {
		return false, fmt.Errorf("link %s: %w", path, err)
	}
	l.step("symlink.temp")
	if err := os.Rename(temp, path); err != nil {
		return false, fmt.Errorf("link %s: %w", path, err)
	}
	l.step("symlink.rename")
	if err := durable.Sync(l.Dir); err != nil {
		return true, fmt.Errorf("link %s: %w", path, err)
	}
	return true, nil
}

func (l Links) step(name string) {
	if l.Hook != nil {
		l.Hook(name)
	}
}

// remove removes a link, and nothing that is no link.
func (l Links) remove(name string) (bool, error) {
	path := filepath.Join(l.Dir, name)
	st, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	if st.Mode()&fs.ModeSymlink == 0 {
		return false, fmt.Errorf("remove link %s: it is no link", path)
	}
	return true, durable.Remove(path)
}

// stale lists the links of versions that are not in targets.
func (l Links) stale(targets map[uint64]string) ([]string, error) {
	names, err := l.names()
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(names, func(name string) bool {
		v, ok := linkVersion(name)
		return !ok || targets[v] != ""
	}), nil
}

// sweep removes temporary links of killed processes.
func (l Links) sweep() error {
	names, err := l.names()
	if errors.Is(err, syscall.ENOTDIR) {
		return nil // there are none; who needs the directory says so
	} else if err != nil {
		return err
	}
	for _, name := range names {
		base, ok := strings.CutSuffix(strings.TrimPrefix(name, "."), ".tmp")
		_, version := linkVersion(base)
		if !ok || name[0] != '.' || !version && base != "current" {
			continue
		}
		if _, err := l.remove(name); err != nil {
			return err
		}
	}
	return nil
}

// names lists the directory in order; one that is not there is empty.
func (l Links) names() ([]string, error) {
	entries, err := os.ReadDir(l.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list links: %w", err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, nil
}

func (l Links) relative(target string) (string, error) {
	dir, err := filepath.Abs(l.Dir)
	if err != nil {
		return "", err
	}
	to, err := filepath.Rel(dir, target)
	if err != nil {
		return "", fmt.Errorf("link to %s: %w", target, err)
	}
	return to, nil
}

func linkName(version uint64) string { return linkPrefix + strconv.FormatUint(version, 10) }

func linkVersion(name string) (uint64, bool) {
	digits, ok := strings.CutPrefix(name, linkPrefix)
	n, err := strconv.ParseUint(digits, 10, 64)
	return n, ok && err == nil && linkName(n) == name
}

// wrong lists the links that Repair would change, in order: what each should say and what it says. Temporary links of
// killed processes are among them. Where the directory is none, that is all there is to say: "." is its name.
func (l Links) wrong(targets map[uint64]string, current uint64) ([]wrongLink, error) {
	want := map[string]string{}
	for v, target := range targets {
		to, err := l.relative(target)
		if err != nil {
			return nil, err
		}
		want[linkName(v)] = to
	}
	if current != 0 {
		want["current"] = linkName(current)
	}
	names, err := l.names()
	if errors.Is(err, syscall.ENOTDIR) {
		return []wrongLink{{name: ".", other: true}}, nil
	} else if err != nil {
		return nil, err
	}
	for _, name := range names {
		if _, ok := linkVersion(name); ok || name == "current" || strings.HasSuffix(name, ".tmp") {
			want[name] += "" // one that should not be there counts too
		}
	}
	var wrong []wrongLink
	for _, name := range sorted(want) {
		w := wrongLink{name: name, want: want[name]}
		switch w.have, err = os.Readlink(filepath.Join(l.Dir, name)); {
		case err == nil && w.have == w.want:
			continue
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			w.other = true
		}
		wrong = append(wrong, w)
	}
	return wrong, nil
}

// wrongLink is a link that does not follow the state.
type wrongLink struct {
	name  string
	want  string // ""; it should not be there
	have  string // "": it is not there, or is no link
	other bool   // something that is no link has its name
}
