package artifact

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// MoveFile stores the file src and removes it: by a rename where src is on the store's file system and has no other
// name, else by a copy. Whoever wrote src must have closed it. On an error src is where it was, but for a crash: what
// a killed process was storing is gone with the next Sweep. Errors are those of PutFile.
func (s *Store) MoveFile(ctx context.Context, src, mediaType string) (Info, error) {
	st, err := os.Lstat(src)
	if err != nil {
		return Info{}, fmt.Errorf("store: %w", err)
	}
	if !st.Mode().IsRegular() {
		return Info{}, fmt.Errorf("store %s: %w: it is %s", src, ErrRefused, kind(st.Mode()))
	}
	if linksOf(st) == 1 {
		info, err := s.take(src, mediaType, func(temp string) (Info, error) {
			root, err := os.OpenRoot(filepath.Dir(temp))
			if err != nil {
				return Info{}, err
			}
			defer root.Close()
			f, err := scanFile(ctx, root, filepath.Base(temp))
			if err != nil {
				return Info{}, fmt.Errorf("store %s: %w", src, err)
			}
			return s.keepFile(ctx, temp, File{Size: f.Size, SHA256: f.SHA256})
		})
		if !errors.Is(err, syscall.EXDEV) {
			return info, err
		}
	}
	info, err := s.PutFile(ctx, src, mediaType)
	if err != nil {
		return Info{}, err
	}
	if err := os.Remove(src); err != nil {
		return Info{}, fmt.Errorf("remove what was stored as %s: %w", info.Digest, err)
	}
	return info, nil
}

// MoveTree stores the directory src and removes it, as MoveFile does a file. Files of the tree that have another name
// outside are copied.
func (s *Store) MoveTree(ctx context.Context, src, mediaType string) (Info, error) {
	root, err := openTree(src)
	if err != nil {
		return Info{}, err
	}
	root.Close()
	info, err := s.take(src, mediaType, func(temp string) (Info, error) {
		root, err := openTree(temp)
		if err != nil {
			return Info{}, err
		}
		defer root.Close()
		m, err := scan(ctx, root)
		if err != nil {
			return Info{}, fmt.Errorf("store %s: %w", src, err)
		}
		if info, ok, err := s.hasTree(ctx, m); err != nil || ok {
			return info, err
		}
		clean := temp + "-clean"
		if err := moveTree(ctx, root, temp, clean, m); err != nil {
			return Info{}, fmt.Errorf("store %s: %w", src, err)
		}
		info, err := s.keepTree(ctx, clean, m)
		if err != nil {
			// All files are in clean now, and temp is what take puts back.
			return Info{}, errors.Join(err, removeAll(temp), os.Rename(clean, temp))
		}
		return info, nil
	})
	if !errors.Is(err, syscall.EXDEV) {
		return info, err
	}
	if info, err = s.PutTree(ctx, src, mediaType); err != nil {
		return Info{}, err
	}
	if err := removeAll(src); err != nil {
		return Info{}, fmt.Errorf("remove what was stored as %s: %w", info.Digest, err)
	}
	return info, nil
}

// take renames src into tmp for fn to store, and back again where that fails.
func (s *Store) take(src, mediaType string, fn func(temp string) (Info, error)) (Info, error) {
	return s.inTemp(mediaType, func(temp string) (Info, error) {
		if err := os.Rename(src, temp); err != nil {
			return Info{}, err
		}
		s.hook("artifact.temp")
		info, err := fn(temp)
		if err == nil {
			return info, nil
		}
		if back := os.Rename(temp, src); back != nil && !errors.Is(back, fs.ErrNotExist) {
			err = fmt.Errorf("%w (and %s could not be put back: %v)", err, src, back)
		}
		return Info{}, err
	})
}

// moveTree moves the files of m from the tree src to a fresh directory dst beside it, so that dst holds them and
// nothing else. A file with another name is copied: it could be written through that. Copies come first, because they
// can fail while src is still whole.
func moveTree(ctx context.Context, root *os.Root, src, dst string, m Manifest) error {
	if err := os.Mkdir(dst, 0o755); err != nil {
		return err
	}
	target := func(f File) string { return filepath.Join(dst, filepath.FromSlash(f.Path)) }
	for _, f := range m {
		if err := os.MkdirAll(filepath.Dir(target(f)), 0o755); err != nil {
			return err
		}
		if f.links > 1 {
			if err := copyFile(ctx, root, f.Path, target(f), f); err != nil {
				return err
			}
		}
	}
	for i, f := range m {
		if f.links > 1 {
			continue
		}
		if err := os.Rename(filepath.Join(src, filepath.FromSlash(f.Path)), target(f)); err != nil {
			return errors.Join(err, moveBack(m[:i], src, dst))
		}
	}
	return nil
}

// moveBack undoes moveTree for the files of m.
func moveBack(m Manifest, src, dst string) error {
	var all error
	for _, f := range m {
		if f.links == 1 {
			path := filepath.FromSlash(f.Path)
			all = errors.Join(all, os.Rename(filepath.Join(dst, path), filepath.Join(src, path)))
		}
	}
	return all
}
