package artifact

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"

	"jupiter/state/durable"
)

// publish makes a finished temporary entry visible under its digest, durably, and is the only function that does:
// files read-only, with the time that Inspect looks for → fsync files and directories → rename → fsync the directory that now holds it. A crash before the
// rename leaves nothing visible; after it, a complete entry (M11).
//
// Directories of a tree stay writable, so that "rm -r" works on a project; Verify sees a file that came or went. Where
// another Put was first, the entry that is there stays and temp is left to the caller.
func (s *Store) publish(temp, digest string, m Manifest, tree bool) error {
	if err := seal(temp, m, tree); err != nil {
		return err
	}
	s.hook("artifact.fsync")
	path, err := s.Path(digest)
	if err != nil {
		return err
	}
	if err := durable.Mkdir(filepath.Dir(path)); err != nil {
		return err
	}
	switch err := os.Rename(temp, path); {
	case tree && (errors.Is(err, syscall.ENOTEMPTY) || errors.Is(err, syscall.EEXIST)):
		// The other Put may not have synced the directory yet; below, we do.
	case err != nil:
		return err
	}
	s.hook("artifact.rename")
	if err := durable.Sync(filepath.Dir(path)); err != nil {
		return err
	}
	s.hook("artifact.syncdir")
	return nil
}

// seal makes the files of a temporary entry read-only, gives all of it the time of what nobody has touched, and syncs it,
// directories after what they hold.
func seal(temp string, m Manifest, tree bool) error {
	for _, f := range m {
		path := temp
		if tree {
			path = filepath.Join(temp, filepath.FromSlash(f.Path))
		}
		if err := os.Chmod(path, sealed(f.Exec)); err != nil {
			return err
		}
		if err := touch(path, untouched()); err != nil {
			return err
		}
		if err := durable.Sync(path); err != nil {
			return err
		}
	}
	if !tree {
		return nil
	}
	for _, dir := range m.dirs() {
		if err := touch(filepath.Join(temp, dir), untouched()); err != nil {
			return err
		}
		if err := durable.Sync(filepath.Join(temp, dir)); err != nil {
			return err
		}
	}
	return nil
}
