package install

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"jupiter/plugins/host"
)

// place is the directory of a plugin in the store.
func place(store, name, version, platform string) string {
	return filepath.Join(store, name, version, platform)
}

// executables are the names that the program of a plugin may have.
func executables(plugin string) []string { return []string{plugin, "jupiter-plugin-" + plugin} }

// find gives the program of a plugin in a directory.
func find(dir, plugin string) (host.Program, error) {
	names := executables(plugin)
	var found []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && (d.Name() == names[0] || d.Name() == names[1]) {
			found = append(found, path)
		}
		return err
	})
	switch {
	case err != nil:
		return host.Program{}, err
	case len(found) == 0:
		return host.Program{}, fmt.Errorf("there is no executable %s or %s", names[0], names[1])
	case len(found) > 1:
		return host.Program{}, fmt.Errorf("there are several executables of the plugin's name: %s", strings.Join(within(dir, found), ", "))
	}
	return host.Program{Path: found[0], Tree: dir}, nil
}

func within(dir string, paths []string) (names []string) {
	for _, p := range paths {
		if rel, err := filepath.Rel(dir, p); err == nil {
			p = filepath.ToSlash(rel)
		}
		names = append(names, p)
	}
	return names
}

// unfinished is what names of drafts begin with.
const unfinished = ".new-"

// sweep removes the drafts that a killed process has left. Nobody else may be writing one: see Installer.
func sweep(store string) error {
	entries, err := os.ReadDir(store)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), unfinished) {
			continue
		}
		if err := os.RemoveAll(filepath.Join(store, e.Name())); err != nil {
			return fmt.Errorf("remove what was half fetched: %w", err)
		}
	}
	return nil
}

// draft is a directory of the store that is being written. The caller removes it, which does nothing once it was put in
// its place.
func draft(store string) (dir string, remove func(), err error) {
	if err := os.MkdirAll(store, 0o755); err != nil {
		return "", nil, err
	}
	if dir, err = os.MkdirTemp(store, unfinished); err != nil {
		return "", nil, err
	}
	return dir, func() { os.RemoveAll(dir) }, nil
}

// settle puts a draft into its place, and what was there out of it.
func settle(draft, place string) error {
	if err := os.MkdirAll(filepath.Dir(place), 0o755); err != nil {
		return err
	}
	if err := os.Chmod(draft, 0o755); err != nil {
		return err
	}
	old := draft + "-old"
	err := os.Rename(place, old)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(draft, place); err != nil {
		return errors.Join(err, restore(old, place))
	}
	return os.RemoveAll(old)
}

func restore(old, place string) error {
	if err := os.Rename(old, place); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
