package artifact

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"sync"
)

// Errors that callers tell apart with errors.Is.
var (
	// ErrMissing: the store has no entry of this digest.
	ErrMissing = errors.New("artifact is not in the store")
	// ErrDamaged: an entry's bytes do not give its digest.
	ErrDamaged = errors.New("artifact is damaged")
	// ErrRefused: the source holds something that cannot be an artifact.
	ErrRefused = errors.New("not a plain file or a tree of plain files")
	// ErrChanged: the source changed while it was read.
	ErrChanged = errors.New("file changed while it was stored")
)

// Info describes one entry.
type Info struct {
	Digest    string // sha256:<hex>
	Tree      bool
	Size      int64  // bytes, of all files
	MediaType string // as given to Put; the store does not keep it, and Stat leaves it empty
}

// Steps are the names that the hook of a Store is called with, each right after what it names: "artifact.temp" (written
// below tmp, not synced), "artifact.fsync" (synced, not visible), "artifact.rename" (visible), "artifact.syncdir"
// (durable), "artifact.remove" (no longer visible, not yet deleted).
func Steps() []string {
	return []string{"artifact.temp", "artifact.fsync", "artifact.rename", "artifact.syncdir", "artifact.remove"}
}

// Store is a content-addressed store in one directory. It keeps nothing of it in memory: two Stores of one directory, in one
// process or two, see the same entries.
type Store struct {
	dir  string
	hook func(step string)

	aside sync.Mutex // one setAside at a time: it must not move what another has just made good
}

// New returns the store in dir, which the first Put creates. Hook may be nil; see Steps.
func New(dir string, hook func(step string)) *Store {
	if hook == nil {
		hook = func(string) {}
	}
	return &Store{dir: dir, hook: hook}
}

// Dir returns the directory of the store.
func (s *Store) Dir() string { return s.dir }

// Path returns where the entry of a digest is, or would be. It fails with ErrDigest only.
func (s *Store) Path(digest string) (string, error) {
	digits, err := ParseDigest(digest)
	if err != nil {
		return "", err
	}
	return filepath.Join(s.dir, "sha256", digits[:2], digits), nil
}

// Has reports whether the store has an entry of this digest. It does not read the entry's bytes.
func (s *Store) Has(digest string) (bool, error) {
	path, err := s.Path(digest)
	if err != nil {
		return false, err
	}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("look up artifact: %w", err)
	}
	return true, nil
}

// Stat describes an entry from its directory entries, without reading its bytes. It fails with ErrMissing.
func (s *Store) Stat(digest string) (Info, error) {
	path, err := s.Path(digest)
	if err != nil {
		return Info{}, err
	}
	st, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Info{}, fmt.Errorf("%w: %s", ErrMissing, digest)
	} else if err != nil {
		return Info{}, fmt.Errorf("look up artifact: %w", err)
	}
	info := Info{Digest: digest, Tree: st.IsDir(), Size: st.Size()}
	if !info.Tree {
		return info, nil
	}
	info.Size = 0
	err = filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		file, err := d.Info()
		if err != nil {
			return err
		}
		info.Size += file.Size()
		return nil
	})
	if err != nil {
		return Info{}, fmt.Errorf("measure artifact %s: %w", digest, err)
	}
	return info, nil
}

// Open opens the file of a digest for reading. It fails with ErrMissing, and for a tree.
func (s *Store) Open(digest string) (*os.File, error) {
	path, err := s.Path(digest)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s", ErrMissing, digest)
	} else if err != nil {
		return nil, fmt.Errorf("open artifact: %w", err)
	}
	st, err := f.Stat()
	if err == nil && st.IsDir() {
		err = fmt.Errorf("open artifact %s: it is a tree", digest)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Digests lists the store in sorted order.
func (s *Store) Digests() ([]string, error) {
	fans, err := readDir(filepath.Join(s.dir, "sha256"))
	if err != nil {
		return nil, err
	}
	var all []string
	for _, fan := range fans {
		entries, err := readDir(filepath.Join(s.dir, "sha256", fan.Name()))
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			digest := scheme + e.Name()
			if _, err := ParseDigest(digest); err == nil && e.Name()[:2] == fan.Name() {
				all = append(all, digest)
			}
		}
	}
	sort.Strings(all)
	return all, nil
}

// readDir is os.ReadDir for which a missing directory is empty.
func readDir(dir string) ([]fs.DirEntry, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return entries, err
}
