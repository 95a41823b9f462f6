package artifact

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Verify reads an entry's bytes and compares them with its digest. It fails with ErrMissing or ErrDamaged.
func (s *Store) Verify(ctx context.Context, digest string) error {
	info, err := s.Stat(digest)
	if err != nil {
		return err
	}
	got := ""
	if info.Tree {
		m, err := s.Manifest(ctx, digest)
		if err != nil {
			return err
		}
		got = m.digest()
	} else if got, err = s.rehash(ctx, digest); err != nil {
		return err
	}
	if got != digest {
		path, _ := s.Path(digest)
		return fmt.Errorf("%w: %s holds %s", ErrDamaged, path, got)
	}
	return nil
}

// Manifest reads a tree's bytes and lists its files. It does not compare them with the digest; Verify does.
func (s *Store) Manifest(ctx context.Context, digest string) (Manifest, error) {
	path, err := s.Path(digest)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("open artifact %s as a tree: %w", digest, err)
	}
	defer root.Close()
	m, err := scan(ctx, root)
	if errors.Is(err, ErrRefused) {
		return nil, fmt.Errorf("%w: %s: %w", ErrDamaged, path, err)
	} else if err != nil {
		return nil, fmt.Errorf("read artifact %s: %w", digest, err)
	}
	return m, nil
}

func (s *Store) rehash(ctx context.Context, digest string) (string, error) {
	path, err := s.Path(digest)
	if err != nil {
		return "", err
	}
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return "", fmt.Errorf("open artifact %s: %w", digest, err)
	}
	defer root.Close()
	f, err := scanFile(ctx, root, filepath.Base(path))
	if errors.Is(err, ErrRefused) {
		return "", fmt.Errorf("%w: %s: %w", ErrDamaged, path, err)
	} else if err != nil {
		return "", fmt.Errorf("read artifact %s: %w", digest, err)
	}
	return scheme + f.SHA256, nil
}
