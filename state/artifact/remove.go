package artifact

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"jupiter/state/durable"
)

// Remove deletes an entry. It goes out of sight in one step, so nobody reads half a tree; a crash leaves the rest for
// Sweep. Removing what is not there is no error. The caller holds the operation lock, and has removed whatever refers
// to the digest (M12).
func (s *Store) Remove(ctx context.Context, digest string) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	path, err := s.Path(digest)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("remove artifact: %w", err)
	}
	if err := s.discard(path); err != nil {
		return fmt.Errorf("remove artifact %s: %w", digest, err)
	}
	return nil
}

// discard moves path below tmp and deletes it there. It makes no file, so that it works on a full disk.
func (s *Store) discard(path string) error {
	tmp := filepath.Join(s.dir, "tmp")
	if err := durable.Mkdir(tmp); err != nil {
		return err
	}
	gone := filepath.Join(tmp, "gone-"+filepath.Base(path))
	if err := removeAll(gone); err != nil {
		return err
	}
	if err := os.Rename(path, gone); err != nil {
		return err
	}
	s.hook("artifact.remove")
	if err := durable.Sync(filepath.Dir(path)); err != nil {
		return err
	}
	return removeAll(gone)
}

// Collected is what GC did, or with dryRun would do.
type Collected struct {
	Removed []Info // sorted by digest
	Bytes   int64  // of Removed
	Kept    int
}

// GC removes every entry that keep does not want. The caller holds the operation lock. On an error, Collected has what
// was removed before it.
func (s *Store) GC(ctx context.Context, keep func(digest string) bool, dryRun bool) (Collected, error) {
	var c Collected
	all, err := s.Digests()
	if err != nil {
		return c, fmt.Errorf("list artifacts: %w", err)
	}
	for _, digest := range all {
		if keep(digest) {
			c.Kept++
			continue
		}
		info, err := s.Stat(digest)
		if err != nil {
			return c, err
		}
		if !dryRun {
			if err := s.Remove(ctx, digest); err != nil {
				return c, err
			}
		}
		c.Removed = append(c.Removed, info)
		c.Bytes += info.Size
	}
	return c, nil
}

// Sweep deletes what killed processes left below tmp and returns how many Puts and Removes that were. The caller holds
// the operation lock, and no Put is running: Sweep cannot tell a dead one from a slow one.
func (s *Store) Sweep(ctx context.Context) (int, error) {
	tmp := filepath.Join(s.dir, "tmp")
	left, err := readDir(tmp)
	if err != nil {
		return 0, fmt.Errorf("sweep artifacts: %w", err)
	}
	for i, e := range left {
		if err := context.Cause(ctx); err != nil {
			return i, err
		}
		if err := removeAll(filepath.Join(tmp, e.Name())); err != nil {
			return i, fmt.Errorf("sweep artifacts: %w", err)
		}
	}
	return len(left), nil
}

// removeAll is os.RemoveAll that makes read-only directories writable first. It follows no link.
func removeAll(path string) error {
	err := filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.Chmod(p, 0o755)
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.RemoveAll(path)
}
